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
}

// trip follows one attempt. The transport may go on dialing for a moment after
// the attempt is over, so its calls come from other goroutines at any time.
type trip struct {
	mu sync.Mutex
	at progress
}

func (t *trip) update(change func(*progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.at)
}

func (t *trip) progress() progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at
}

func (t *trip) gotHeaders() { t.update(func(at *progress) { at.headers = true }) }

// trace returns the hooks that keep t up to date.
func (t *trip) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectDone: func(_, addr string, err error) {
			if err == nil {
				t.update(func(at *progress) { at.remoteAddr = addr })
			}
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			t.update(func(at *progress) { at.handshakeErr = err })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			addr := info.Conn.RemoteAddr().String()
			t.update(func(at *progress) { at.remoteAddr, at.connected = addr, true })
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			t.update(func(at *progress) { at.wrote = info.Err == nil })
		},
	}
}
