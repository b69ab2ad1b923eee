package load

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Behaviour says how a receiver answers a delivery of an event to a webhook.
type Behaviour func(webhook, event int, attempt string) Reply

// Reply is a status that is sent after a wait. Release ends all waits early.
type Reply struct {
	Status int
	After  time.Duration
}

// AtOnce accepts everything at once.
func AtOnce(int, int, string) Reply { return Reply{Status: http.StatusOK} }

// Receiver accepts the deliveries of one load after the other, on one port with a path for each webhook.
type Receiver struct {
	server *http.Server
	// url is how the installation reaches it.
	url     string
	buffers sync.Pool

	mu   sync.RWMutex
	load *Reception
}

// Reception is what the receiver does for one load.
type Reception struct {
	// name is the first part of the paths, so that stragglers of an earlier load are told apart.
	name   string
	ledger *Ledger
	reply  Behaviour
	// measured says that the warm-up is over; during it nothing is refused and nothing waits.
	measured atomic.Bool
	// release ends the waits.
	release chan struct{}
}

// StartReceiver starts a receiver on an address. url is how the installation reaches it, where it listens when empty.
func StartReceiver(listen, url string) (*Receiver, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	r := &Receiver{url: strings.TrimSuffix(url, "/")}
	if r.url == "" {
		r.url = "http://" + listener.Addr().String()
	}
	r.buffers.New = func() any { return new(bytes.Buffer) }
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

// Close ends the receiver and the requests that it still serves.
func (r *Receiver) Close() error { return r.server.Close() }

// NewReception prepares for a load's deliveries. name is the first part of the paths of its webhooks.
func NewReception(name string, ledger *Ledger, reply Behaviour) *Reception {
	return &Reception{name: name, ledger: ledger, reply: reply, release: make(chan struct{})}
}

// Measure ends the warm-up.
func (l *Reception) Measure() { l.measured.Store(true) }

// Release ends the waits.
func (l *Reception) Release() { close(l.release) }

// Expect makes the receiver accept the deliveries of a load.
func (r *Receiver) Expect(load *Reception) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.load = load
}

// Path is where a webhook of a load is delivered to.
func (r *Receiver) Path(load string, webhook int) string {
	return r.url + "/" + load + "/" + strconv.Itoa(webhook)
}

// ServeHTTP answers one delivery.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.RLock()
	load := r.load
	r.mu.RUnlock()
	name, number, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	webhook, err := strconv.Atoi(number)
	if load == nil || name != load.name || err != nil {
		w.WriteHeader(http.StatusOK) // of an earlier load, or a test
		return
	}
	n, err := r.readNumber(request.Body)
	at := load.ledger.Now()
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	reply := Reply{Status: http.StatusOK}
	if load.measured.Load() {
		reply = load.reply(webhook, n, request.Header.Get("X-Webhook-Attempt"))
	}
	if reply.After > 0 && !load.wait(request.Context(), reply.After) {
		return // the sender has given up
	}
	switch {
	case reply.Status != http.StatusOK:
		load.ledger.refuse()
	case !load.ledger.Arrive(n, webhook, request.Header.Get("Webhook-Id"), at):
		reply.Status = http.StatusBadRequest
	}
	w.WriteHeader(reply.Status)
}

// almostTimedOut is for how long a request has waited whose sender may give up, after 30 s, at the moment of
// the answer: it would send again what it need not.
const almostTimedOut = 25 * time.Second

// wait waits for a time or until Release. It says whether the sender is still connected.
func (l *Reception) wait(ctx context.Context, after time.Duration) bool {
	began := time.Now()
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-l.release:
		if time.Since(began) > almostTimedOut {
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
	}
	return ctx.Err() == nil
}

// readNumber finds the event's number in a delivery's body.
func (r *Receiver) readNumber(body io.Reader) (int, error) {
	buffer, ok := r.buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	defer r.buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(body); err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(buffer.Bytes(), []byte(numberMark))
	if !found || len(rest) < numberDigits {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(string(rest[:numberDigits]))
}
