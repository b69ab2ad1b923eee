package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
)

// exchange makes the request and returns the answer's headers. A kept connection that dies before a byte of
// the answer was most often closed by the receiver while nothing went on; then the request is sent once more,
// on a new connection. done is called when the answer has been read.
func exchange(ctx context.Context, by road, req *http.Request, way *trip) (resp *http.Response, done func(), err error) {
	resp, err = by.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, way.trace())))
	if err == nil || ctx.Err() != nil || !way.progress().unanswered() || !died(err) {
		return resp, func() {}, err
	}
	again, rewindErr := rewound(req)
	if rewindErr != nil {
		return nil, func() {}, err
	}
	way.startAgain()
	// A transport of its own has no kept connection that it could take.
	fresh := by.fresh()
	resp, err = fresh.RoundTrip(again.WithContext(httptrace.WithClientTrace(ctx, way.trace())))
	return resp, fresh.CloseIdleConnections, err
}

// rewound is the request with its body from the beginning.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("the body cannot be read again")
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := *req
	again.Body = body
	return &again, nil
}

// died says that a connection ended, by whatever end. A stream of HTTP/2 that the receiver resets is its
// answer, and a time that is over is no end of a connection.
func died(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var broken *net.OpError
	if errors.As(err, &broken) {
		return broken.Op != "dial"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	for _, words := range []string{"server closed idle connection", "client connection lost", "server sent GOAWAY and closed the connection"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// plain keeps the transport from a second sending of its own. It takes the header Idempotency-Key, which the
// owner of a webhook may have set, as leave to repeat a request that it has written; it looks for the
// canonical name only, and names of headers are the same in lower case.
func plain(header http.Header) http.Header {
	changed := header
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, set := header[name]; set {
			changed = changed.Clone()
			delete(changed, name)
			changed[strings.ToLower(name)] = values
		}
	}
	return changed
}
