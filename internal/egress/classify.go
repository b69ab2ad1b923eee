package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// failure is all that is known of an attempt that failed in transport.
type failure struct {
	err      error
	timedOut bool // the attempt used up its whole time
	host     string
	address  string // host and port as the URL says
	guard    *guard
	progress progress
	limits   limits
}

// classify turns the failure into an *Error, or into one that wraps ErrOwnHost or ErrProxy.
// No text of the underlying error reaches the message: it may quote the
// response.
func (f failure) classify() error {
	var refused *Error
	if errors.As(f.err, &refused) {
		return refused
	}
	if f.timedOut {
		return f.attemptTimeout()
	}
	if errors.Is(f.err, ErrProxy) {
		return f.err
	}
	if err := f.ownHost(); err != nil {
		return err
	}
	if e := f.dns(); e != nil {
		return e
	}
	if e := f.dial(); e != nil {
		return e
	}
	if e := f.tls(); e != nil {
		return e
	}
	return f.exchange()
}

// attemptTimeout says what was missing when the whole time was over.
func (f failure) attemptTimeout() *Error {
	within := f.limits.attempt
	switch {
	case !f.progress.connected:
		return &Error{Class: ClassConnectTimeout, Message: fmt.Sprintf("no connection to %s within %s", foreign(f.host), within)}
	case f.progress.headers:
		return &Error{Class: ClassTimeout, Message: fmt.Sprintf("response body not finished within %s", within)}
	case !f.progress.wrote:
		return &Error{Class: ClassTimeout, Message: fmt.Sprintf("request not read by the receiver within %s", within)}
	}
	return &Error{Class: ClassTimeout, Message: fmt.Sprintf("no answer within %s", within)}
}

// ownHost recognises what this machine lacks.
func (f failure) ownHost() error {
	var lookup *net.DNSError
	errors.As(f.err, &lookup)
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		// A look-up that fails to open a socket says so only in its text.
		if errors.Is(f.err, errno) || lookup != nil && strings.Contains(lookup.Err, errno.Error()) {
			return fmt.Errorf("%w: %w", ErrOwnHost, errno)
		}
	}
	// No local port is left. An IPv6 target on a host without IPv6 gives the same
	// error number, and that is not a shortage.
	if errors.Is(f.err, syscall.EADDRNOTAVAIL) {
		if addr, err := netip.ParseAddrPort(dialedAddress(f.err)); err == nil && addr.Addr().Is4() {
			return fmt.Errorf("%w: %w", ErrOwnHost, syscall.EADDRNOTAVAIL)
		}
	}
	return nil
}

func (f failure) dns() *Error {
	var e *net.DNSError
	if !errors.As(f.err, &e) {
		return nil
	}
	switch {
	case e.IsNotFound:
		return &Error{Class: ClassDNS, Message: "no such host: " + foreign(f.host)}
	case e.IsTimeout:
		return &Error{Class: ClassDNS, Message: fmt.Sprintf("look-up of %s not answered within %s", foreign(f.host), f.limits.connect)}
	}
	return &Error{Class: ClassDNS, Message: fmt.Sprintf("look-up of %s failed", foreign(f.host))}
}

func (f failure) dial() *Error {
	var e *net.OpError
	if !errors.As(f.err, &e) || e.Op != "dial" {
		return nil
	}
	dialed := dialedAddress(f.err)
	shown := foreign(f.host)
	if target, err := netip.ParseAddrPort(dialed); err == nil {
		shown = f.guard.shown(target, f.address)
	} else {
		dialed = shown
	}
	switch {
	case errors.Is(f.err, syscall.ECONNREFUSED):
		return told(ClassConnectionRefused, shown, dialed, "connection refused by %s")
	case e.Timeout():
		return told(ClassConnectTimeout, shown, dialed, "no connection to %s within %s", f.limits.connect)
	case errors.Is(f.err, syscall.ECONNRESET):
		return told(ClassReset, shown, dialed, "connection reset by %s")
	}
	return told(ClassConnectionRefused, shown, dialed, "no route to %s")
}

// dialedAddress is the address and port that a dial failed for, if it came that far.
func dialedAddress(err error) string {
	var e *net.OpError
	if errors.As(err, &e) && e.Addr != nil {
		return e.Addr.String()
	}
	return ""
}

// tls recognises a handshake that failed, by the handshake's own result and not
// by the many types of errors it ends with, and the alert by which a receiver
// rejects us after the handshake (a missing client certificate, in TLS 1.3).
func (f failure) tls() *Error {
	err := f.progress.handshakeErr
	if f.progress.connected {
		if remoteAlert(f.err) == "" {
			return nil
		}
		err = f.err
	}
	if err == nil {
		return nil
	}
	if isTimeout(err) {
		return &Error{Class: ClassConnectTimeout, Message: fmt.Sprintf("TLS handshake with %s not finished within %s", foreign(f.host), f.limits.connect)}
	}
	return &Error{Class: ClassTLS, Message: tlsMessage(err, f.host)}
}

// remoteAlert returns the text of the TLS alert that the receiver sent, a phrase
// from a fixed table, or nothing.
func remoteAlert(err error) string {
	var e *net.OpError
	if !errors.As(err, &e) || e.Op != "remote error" || e.Err == nil {
		return ""
	}
	return strings.TrimPrefix(e.Err.Error(), "tls: ")
}

func tlsMessage(err error, host string) string {
	var (
		wrongName x509.HostnameError
		unknown   x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		notTLS    tls.RecordHeaderError
		untrusted *tls.CertificateVerificationError
		broken    *net.OpError
	)
	if alert := remoteAlert(err); alert != "" {
		return "TLS refused by the receiver: " + alert
	}
	switch {
	case errors.As(err, &wrongName):
		return "certificate is not valid for " + foreign(host) + certificateNames(wrongName.Certificate)
	case errors.As(err, &unknown):
		return "certificate is signed by an unknown authority"
	case errors.As(err, &invalid):
		return invalidMessage(invalid)
	case errors.As(err, &untrusted):
		return "certificate cannot be verified"
	case errors.As(err, &notTLS):
		return "the receiver does not speak TLS on this port"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &broken):
		return "connection closed by the receiver during the TLS handshake"
	}
	return "TLS handshake failed; TLS 1.2 or newer is required"
}

// invalidMessage words the one certificate fault that everybody meets, and
// names the others as the standard library does.
func invalidMessage(e x509.CertificateInvalidError) string {
	if e.Reason != x509.Expired || e.Cert == nil {
		return "certificate is not acceptable"
	}
	if time.Now().Before(e.Cert.NotBefore) {
		return "certificate is not valid before " + e.Cert.NotBefore.UTC().Format(time.RFC3339)
	}
	return "certificate expired on " + e.Cert.NotAfter.UTC().Format(time.RFC3339)
}

const maxCertificateNames = 3

// certificateNames says, behind a comma, which hosts a certificate is for.
func certificateNames(cert *x509.Certificate) string {
	if cert == nil {
		return ", only for other names"
	}
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return ": it names no host"
	}
	more := ""
	if len(names) > maxCertificateNames {
		names, more = names[:maxCertificateNames], " and others"
	}
	return ", only for " + foreign(strings.Join(names, ", ")) + more
}

// exchange words what went wrong between the connection and the end of the
// answer. The transport gives most of it as plain text, so some is recognised
// by its words; what is not recognised gets the general message.
func (f failure) exchange() *Error {
	text := f.err.Error()
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
	}
	// The transport's own words come first; what is quoted behind them is the receiver's.
	own := strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	begins := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(own, part) })
	}
	closed := errors.Is(f.err, io.EOF) || errors.Is(f.err, io.ErrUnexpectedEOF) ||
		has("server closed idle connection", "client connection lost")
	reset := errors.Is(f.err, syscall.ECONNRESET) || errors.Is(f.err, syscall.EPIPE)
	switch {
	case !f.progress.connected && has("invalid header field", "invalid trailer", "invalid method"):
		return blocked("the request has a header that is not valid HTTP")
	case has("response headers exceeded", "response header list larger"):
		return &Error{Class: ClassReset, Message: fmt.Sprintf("response headers are larger than %d KiB", MaxResponseHeader>>10)}
	case isTimeout(f.err):
		return &Error{Class: ClassTimeout, Message: fmt.Sprintf("no answer within %s", f.limits.attempt)}
	case has("stream error: stream ID"):
		return &Error{Class: ClassReset, Message: "HTTP/2 stream reset by the receiver"}
	case has("connection error: "):
		return &Error{Class: ClassReset, Message: fmt.Sprintf("answer breaks the HTTP/2 protocol, or its headers are far larger than %d KiB", MaxResponseHeader>>10)}
	case begins("http2: server sent GOAWAY"):
		return &Error{Class: ClassReset, Message: "HTTP/2 connection given up by the receiver (GOAWAY) before it answered"}
	case !f.progress.headers && begins("bad Content-Length", "invalid Content-Length", "http: message cannot contain multiple Content-Length"):
		return &Error{Class: ClassReset, Message: "the answer's Content-Length is not one number"}
	case !f.progress.headers && begins("unsupported transfer encoding", "too many transfer encodings"):
		return &Error{Class: ClassReset, Message: "the answer's Transfer-Encoding is not one that HTTP/1.1 has"}
	case !f.progress.headers && begins("malformed MIME header"):
		return &Error{Class: ClassReset, Message: "the answer has a header line that is not valid HTTP"}
	case f.progress.headers && (closed || reset):
		return &Error{Class: ClassReset, Message: "connection closed before the response body was complete"}
	case f.progress.headers:
		return &Error{Class: ClassReset, Message: "response body is not valid HTTP"}
	case reset:
		return &Error{Class: ClassReset, Message: "connection reset by the receiver before it answered"}
	case closed:
		return &Error{Class: ClassReset, Message: "connection closed by the receiver before it answered"}
	}
	return &Error{Class: ClassReset, Message: "no valid HTTP answer from the receiver"}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
