package egress

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
)

// progress says how far an attempt got.
type progress struct {
	remoteAddr   string // of the connection, also of one that failed its TLS handshake
	handshakeErr error  // what the TLS handshake failed with
	connected    bool   // the request was given a connection: it may be on the wire from here on
	wrote        bool   // all of the request was written
	headers      bool   // response headers came
	reused       bool   // the connection had served a request before
	answering    bool   // a byte of the answer came
	sentBefore   bool   // this is the second sending
}

// unanswered says that a request got a connection that had served before, and no byte of an answer.
func (p progress) unanswered() bool { return p.connected && p.reused && !p.answering }

// trip follows one attempt. The transport may go on dialing for a moment after
// the attempt is over, so its calls come from other goroutines at any time.
type trip struct {
	mu       sync.Mutex
	sendings int
	at       progress
}

// update changes the progress of a sending, unless it has been given up.
func (t *trip) update(sending int, change func(*progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sending == t.sendings {
		change(&t.at)
	}
}

// startAgain forgets a sending that came to nothing, but that it was made.
func (t *trip) startAgain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sendings++
	t.at = progress{sentBefore: true}
}

func (t *trip) progress() progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at
}

func (t *trip) gotHeaders() { t.updater()(func(at *progress) { at.headers = true }) }

// updater changes the progress of the present sending.
func (t *trip) updater() func(change func(*progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sending := t.sendings
	return func(change func(*progress)) { t.update(sending, change) }
}

// trace returns the hooks that keep t up to date.
func (t *trip) trace() *httptrace.ClientTrace {
	update := t.updater()
	return &httptrace.ClientTrace{
		ConnectDone: func(_, addr string, err error) {
			if err == nil {
				update(func(at *progress) { at.remoteAddr = addr })
			}
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			update(func(at *progress) { at.handshakeErr = err })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			addr := info.Conn.RemoteAddr().String()
			update(func(at *progress) {
				at.remoteAddr, at.connected, at.reused, at.answering = addr, true, info.Reused, false
			})
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			update(func(at *progress) { at.wrote = info.Err == nil })
		},
		GotFirstResponseByte: func() { update(func(at *progress) { at.answering = true }) },
	}
}
