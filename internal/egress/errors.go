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
	// Message is for the person who runs the receiver. It may name the host, a
	// public address or a certificate's dates; it never holds a URL's path, query or
	// userinfo, nor any part of a body, nor what lies inside this installation's
	// networks.
	Message string
	// Detail is for administrators and the log: which address was refused, and why.
	// It is empty when the message says it all.
	Detail string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Sentence is the message of an error of CheckURL, when no request was made that could be blocked.
func (e *Error) Sentence() string { return strings.TrimPrefix(e.Message, blockedPrefix) }

// Reason is the detail, or the message where that says it all.
func (e *Error) Reason() string {
	if e.Detail != "" {
		return e.Detail
	}
	return e.Sentence()
}

// ErrOwnHost marks a failure of the machine this process runs on (out of file
// descriptors, ports or memory). The receiver had no part in it, so it is not a
// failed attempt.
var ErrOwnHost = errors.New("egress: this host has run out of a resource")

// ErrProxy marks a failure of the configured proxy. The receiver had no part in
// it, so it is not a failed attempt.
var ErrProxy = errors.New("egress: the proxy cannot be used")

const (
	blockedPrefix = "blocked: "
	// refusal is all that is told of a target that may not be reached. Whether an address is private, a port
	// closed or a name known inside would be a map of the inside.
	refusal = "this target may not be reached from here; an administrator finds the reason in the log"
)

// blocked makes an error of class blocked; its message says so first.
func blocked(format string, args ...any) *Error {
	return &Error{Class: ClassBlocked, Message: blockedPrefix + fmt.Sprintf(format, args...)}
}

// notPermitted makes the error for a target that may not be reached, with the reason as its detail.
func notPermitted(format string, args ...any) *Error {
	return &Error{Class: ClassBlocked, Message: blockedPrefix + refusal, Detail: fmt.Sprintf(format, args...)}
}

// told makes the error of an address that is called shown in the message, which for an address of the inside
// is what the URL says. The format's first verb is for it; args are for the others.
func told(class Class, shown, address, format string, args ...any) *Error {
	e := &Error{Class: class, Message: fmt.Sprintf(format, append([]any{shown}, args...)...)}
	if shown != address {
		e.Detail = fmt.Sprintf(format, append([]any{address}, args...)...)
	}
	return e
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
