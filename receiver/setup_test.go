package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

const (
	secret         = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	strangerSecret = "whsec_plJ3nmyCDGBKInavdOK15jsl3nmyCDGB"

	// stripeBody is the event of tests that any provider would do for.
	stripeBody   = `{"id":"evt_1","type":"order.created","created":1767225600,"data":{"n":1}}`
	receivedBody = `{"received": true}`
)

// sentAt is when the requests of the tests are signed.
var sentAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock stands still until it is moved.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time          { return sentAt.Add(time.Duration(c.moved.Load())) }
func (c *clock) advance(d time.Duration) { c.moved.Add(int64(d)) }

// calls counts the calls of a function that does nothing else.
type calls struct{ n atomic.Int64 }

func (c *calls) handle(context.Context, receiver.Event) error {
	c.n.Add(1)
	return nil
}

func (c *calls) count() int { return int(c.n.Load()) }

// newHandler fills in what the test leaves out: Stripe, the test's secret and the
// time at which its requests are signed.
func newHandler(t testing.TB, o receiver.Options) *receiver.Handler {
	t.Helper()
	if o.Provider.String() == "" {
		o.Provider = receiver.Stripe
	}
	if o.Verifier == nil && o.Secrets == nil {
		o.Secrets = []string{secret}
	}
	if o.Now == nil {
		o.Now = new(clock).now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := receiver.New(o)
	require.NoError(t, err)
	return h
}

// hmacFormat is the signature of the tests' HMAC provider.
var hmacFormat = signature.HMACConfig{Header: "X-Acme-Signature", Prefix: "sha256="}

// sign returns the headers of a rightly signed request, and the others given as
// names and values.
func sign(t testing.TB, scheme signature.Scheme, id, body string, others ...string) http.Header {
	t.Helper()
	cfg := signature.Config{Scheme: scheme, Secrets: []string{secret}}
	if scheme == signature.SchemeHMAC {
		cfg.HMAC = &hmacFormat
	}
	header, err := signature.Sign(cfg, id, sentAt, []byte(body))
	require.NoError(t, err)
	for i := 0; i < len(others); i += 2 {
		header.Set(others[i], others[i+1])
	}
	return header
}

// post sends a request to the handler and returns its answer.
func post(h http.Handler, header http.Header, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// postStripe sends stripeBody, or another body, rightly signed.
func postStripe(t testing.TB, h http.Handler, body ...string) *httptest.ResponseRecorder {
	t.Helper()
	if body == nil {
		body = []string{stripeBody}
	}
	return post(h, sign(t, signature.SchemeStripe, "", body[0]), body[0])
}

func requireReceived(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.JSONEq(t, receivedBody, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
}

func requireRefused(t testing.TB, status int, w *httptest.ResponseRecorder) {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body)
	var body struct {
		Received *bool
		Error    string
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), w.Body)
	require.NotNil(t, body.Received)
	require.False(t, *body.Received)
	require.NotEmpty(t, body.Error)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (b *logBook) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSuffix(b.text.String(), "\n"), "\n")
}

func (b *logBook) String() string { return strings.Join(b.lines(), "\n") }
