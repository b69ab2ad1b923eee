package egress

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Class says in one word why an attempt failed in transport. It is stored with
// the attempt and used as a metric label, so the list is closed.
type Class string

// The classes of transport failures.
const (
	// ClassDNS: the host name did not resolve.
	ClassDNS Class = "dns"
	// ClassConnectionRefused: nothing accepts connections there, or no route leads there.
	ClassConnectionRefused Class = "connection_refused"
	// ClassConnectTimeout: no connection was made in time.
	ClassConnectTimeout Class = "connect_timeout"
	// ClassTimeout: the answer did not come, or not completely, in time.
	ClassTimeout Class = "timeout"
	// ClassTLS: no trusted TLS connection came about.
	ClassTLS Class = "tls"
	// ClassReset: the connection was made, but ended without a valid answer.
	ClassReset Class = "reset"
	// ClassBlocked: the request was not made because its target is not permitted.
	ClassBlocked Class = "blocked"
)

// Error is a transport failure of one attempt.
//
// It wraps nothing: the errors underneath may quote URLs and response bytes,
// and some of them claim to be context.DeadlineExceeded, which from Send means
// that the caller's own context ended.
type Error struct {
	Class Class
	// Message is for the person who runs the receiver. It may name the host, an
	// address or a certificate's dates; it never holds a URL's path, query or
	// userinfo, nor any part of a body.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// ErrOwnHost marks a failure of the machine this process runs on (out of file
// descriptors, ports or memory). The receiver had no part in it, so it is not a
// failed attempt.
var ErrOwnHost = errors.New("egress: this host has run out of a resource")

// ErrProxy marks a failure of the configured proxy. The receiver had no part in
// it, so it is not a failed attempt.
var ErrProxy = errors.New("egress: the proxy cannot be used")

// blocked makes an error of class blocked; its message says so first.
func blocked(format string, args ...any) *Error {
	return &Error{Class: ClassBlocked, Message: "blocked: " + fmt.Sprintf(format, args...)}
}

const maxForeignText = 120

// foreign makes text that others chose (a host name, a name in a certificate)
// fit for a message: one line, printable, not long.
func foreign(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if utf8.RuneCountInString(clean) <= maxForeignText {
		return clean
	}
	return string([]rune(clean)[:maxForeignText]) + "…"
}
