package egress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Result is what is known of an attempt. Send fills it as far as the attempt
// got, with an error too.
type Result struct {
	// StatusCode is 0 when no response headers came.
	StatusCode int
	Header     http.Header
	// Body is the beginning of the response body, at most the bytes asked for.
	Body []byte
	// RemoteAddr is the address and port of the connection, empty when none was made.
	RemoteAddr string
	// Duration is the time from the call to its end.
	Duration time.Duration
	// Sent says that the receiver may have seen the request, or a part of it.
	// When it is false, the request surely did not arrive.
	Sent bool
}

// Options say how one request is made.
type Options struct {
	// Keep is how many bytes of the response body are kept.
	Keep int
	// Timeout bounds the attempt, at most MaxAttemptTimeout; the client's when zero.
	Timeout time.Duration
	// Identity, unless nil, is what the request shows and trusts in TLS.
	Identity *Identity
}

// Send is Do with the client's time limit.
func (c *Client) Send(req *http.Request, keep int) (Result, error) {
	return c.Do(req, Options{Keep: keep})
}

// Do makes one request and reads the answer within the attempt timeout. It
// keeps the first bytes of the response body and reads no more than
// MaxResponseBody of it; a longer body is not an error. A redirect is an answer
// like any other, and whether a status code means success is the caller's
// matter.
//
// A failed attempt gives an *Error. When instead the context of req is
// cancelled or reaches its own deadline, the error wraps that context's error;
// when this host ran out of a resource, it wraps ErrOwnHost; when the proxy does
// not do its part, ErrProxy. None of these is an attempt that the receiver failed.
//
// The request's body must be one that http.NewRequest knows how to read again
// (bytes.Reader, strings.Reader): when a kept connection turns out to be dead,
// before a single byte of the answer, the request is sent once more, in the same
// time. Otherwise nothing that was written is repeated.
func (c *Client) Do(req *http.Request, how Options) (Result, error) {
	start := time.Now()
	if err := c.checkTarget(req.URL); err != nil {
		closeBody(req)
		return Result{Duration: time.Since(start)}, err
	}

	by, err := c.roadOf(how.Identity)
	if err != nil {
		closeBody(req)
		return Result{Duration: time.Since(start)}, err
	}

	times := c.limits
	times.attempt = min(valueOr(how.Timeout, times.attempt), MaxAttemptTimeout)
	parent := req.Context()
	ctx, cancel := context.WithTimeoutCause(parent, times.attempt, errAttemptTimeout)
	defer cancel()
	way := &trip{}

	var result Result
	resp, done, err := exchange(ctx, by, prepared(req), way)
	defer done()
	if err == nil {
		// Nothing is left to say here: the body was read as far as it matters.
		defer func() { _ = resp.Body.Close() }()
		way.gotHeaders()
		result.StatusCode, result.Header = resp.StatusCode, resp.Header
		result.Body, err = c.readBody(resp, how.Keep)
	}
	result.Duration = time.Since(start)
	reached := way.progress()
	result.RemoteAddr, result.Sent = reached.remoteAddr, reached.connected || reached.sentBefore
	if err == nil {
		return result, nil
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errAttemptTimeout) {
		return result, contextError(parent)
	}
	failed := failure{
		err:      err,
		timedOut: ctx.Err() != nil,
		host:     req.URL.Hostname(),
		address:  req.URL.Host,
		guard:    c.guard,
		progress: reached,
		limits:   times,
	}
	return result, failed.classify()
}

// checkTarget refuses URLs that no request is made for.
func (c *Client) checkTarget(u *url.URL) error {
	switch {
	case u == nil:
		return blocked("the request has no URL")
	case u.User != nil:
		return errUserinfo
	case u.Fragment != "":
		return errFragment
	}
	t, err := parseTarget(u.Scheme + "://" + u.Host)
	if err != nil {
		return err
	}
	return c.checkScheme(t)
}

// prepared is the request as it goes out.
func prepared(req *http.Request) *http.Request {
	ready := *req
	ready.Header = plain(req.Header)
	if ready.Header.Get("Accept-Encoding") == "" {
		// The answer is kept for people to read.
		ready.Header = ready.Header.Clone()
		ready.Header.Set("Accept-Encoding", "identity")
	}
	return &ready
}

// closeBody keeps the promise of a RoundTripper, that the body is closed on
// every path, where the request never reaches one.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// contextError reports that the caller's context ended, with its cause if it
// has one of its own.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return fmt.Errorf("egress: send request: %w", err)
	}
	return fmt.Errorf("egress: send request: %w: %w", err, cause)
}
