package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// request is what a receiver got.
type request struct {
	method, path string
	header       http.Header
	body         []byte
	at           time.Time
	// client is whose certificate it showed.
	client string
}

func (r request) deliveryID() string { return r.header.Get("X-Webhook-Delivery") }
func (r request) attempt() string    { return r.header.Get("X-Webhook-Attempt") }

// answer is what a receiver says.
type answer struct {
	status int
	body   string
	header http.Header
}

// script answers the n-th request, counted from 1. It may take its time; the request's context ends when the
// sender is gone.
type script func(n int, r *http.Request) answer

// always answers every request alike.
func always(status int) script {
	return func(int, *http.Request) answer { return answer{status: status} }
}

// failFirst refuses the first n requests.
func failFirst(n, status int) script {
	return func(i int, _ *http.Request) answer {
		if i <= n {
			return answer{status: status}
		}
		return answer{status: http.StatusOK}
	}
}

// gate holds an answer back until it is opened.
type gate struct {
	open func()
	way  chan struct{}
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{way: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.way) })
	t.Cleanup(g.open)
	return g
}

// holding lets the n-th request wait at the gate before the script answers it.
func (g *gate) holding(n int, then script) script {
	return func(i int, r *http.Request) answer {
		if i == n {
			select {
			case <-g.way:
			case <-r.Context().Done():
			}
		}
		return then(i, r)
	}
}

// receiver is an HTTP server that keeps every request.
type receiver struct {
	url      string
	mu       sync.Mutex
	requests []request
}

func newReceiver(t testing.TB, script script) *receiver {
	t.Helper()
	return startReceiver(t, script, (*httptest.Server).Start)
}

func startReceiver(t testing.TB, script script, start func(*httptest.Server)) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			return // the sender died in the middle
		}
		got := request{method: in.Method, path: in.URL.RequestURI(), header: in.Header.Clone(), body: body, at: time.Now()}
		if in.TLS != nil {
			got.client = in.TLS.PeerCertificates[0].Subject.CommonName
		}
		n := r.keep(got)
		answer := script(n, in)
		for name, values := range answer.header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	start(server)
	t.Cleanup(func() {
		server.CloseClientConnections() // a held request must not hold up the test's end
		server.Close()
	})
	r.url = server.URL
	return r
}

func (r *receiver) keep(request request) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
	return len(r.requests)
}

// all returns the requests so far, in the order of their arrival.
func (r *receiver) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.requests...)
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

// await waits for at least n requests.
func (r *receiver) await(t testing.TB, n int) []request {
	t.Helper()
	eventually(t, func() bool { return r.count() >= n }, "fewer than %d requests arrived", n)
	return r.all()
}

// attempts lists the X-Webhook-Attempt of every request.
func attempts(requests []request) []string {
	var all []string
	for _, request := range requests {
		all = append(all, request.attempt())
	}
	return all
}

// requireSameDelivery says that requests are attempts of one delivery: the same ID and the same body bytes.
func requireSameDelivery(t testing.TB, id string, requests []request) {
	t.Helper()
	for _, request := range requests {
		require.Equal(t, id, request.deliveryID())
		require.Equal(t, id, request.header.Get("Webhook-Id"))
		require.Equal(t, string(requests[0].body), string(request.body))
	}
}
