package bench

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

// numberMark precedes an event's number in its data. The receiver looks for it instead of parsing JSON.
const (
	numberMark   = `"n":"`
	numberDigits = 9
)

// behaviour says how a receiver takes a delivery of an event to a webhook.
type behaviour func(webhook, event int, attempt string) reply

// reply is a status, after a wait. A wait ends early when the installation's requests are let go.
type reply struct {
	status int
	after  time.Duration
}

// atOnce takes everything at once.
func atOnce(int, int, string) reply { return reply{status: http.StatusOK} }

// receiver takes the deliveries of one load after the other, on one port with a path for each webhook.
type receiver struct {
	server *http.Server
	// url is how the installation reaches it.
	url     string
	buffers sync.Pool

	mu   sync.RWMutex
	load *reception
}

// reception is what the receiver does for one load.
type reception struct {
	// name is the first part of the paths, so that stragglers of an earlier load are told apart.
	name   string
	ledger *ledger
	reply  behaviour
	// measured says that the warm-up is over; during it nothing is refused and nothing waits.
	measured atomic.Bool
	// release ends the waits.
	release chan struct{}
}

func startReceiver(listen, url string) (*receiver, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	r := &receiver{url: strings.TrimSuffix(url, "/")}
	if r.url == "" {
		r.url = "http://" + listener.Addr().String()
	}
	r.buffers.New = func() any { return new(bytes.Buffer) }
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receiver) close() error { return r.server.Close() }

// expect lets the receiver take the deliveries of a load.
func (r *receiver) expect(load *reception) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.load = load
}

// path is where a webhook of a load is delivered to.
func (r *receiver) path(load string, webhook int) string {
	return r.url + "/" + load + "/" + strconv.Itoa(webhook)
}

// ServeHTTP takes one delivery.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
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
	at := load.ledger.now()
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	reply := reply{status: http.StatusOK}
	if load.measured.Load() {
		reply = load.reply(webhook, n, request.Header.Get("X-Webhook-Attempt"))
	}
	if reply.after > 0 && !load.wait(request.Context(), reply.after) {
		return // the sender has given up
	}
	switch {
	case reply.status != http.StatusOK:
		load.ledger.refuse()
	case !load.ledger.arrive(n, webhook, request.Header.Get("Webhook-Id"), at):
		reply.status = http.StatusBadRequest
	}
	w.WriteHeader(reply.status)
}

// almostTimedOut is for how long a request has waited whose sender may give up, after 30 s, at the moment of
// the answer: it would send again what it need not.
const almostTimedOut = 25 * time.Second

// wait lasts for a time or until everything is released. It says whether the sender is still there.
func (l *reception) wait(ctx context.Context, after time.Duration) bool {
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
func (r *receiver) readNumber(body io.Reader) (int, error) {
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
