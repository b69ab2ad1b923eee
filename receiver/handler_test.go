package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

func TestHandlerPassesTheEvent(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{})
	var got receiver.Event
	h.On("order.created", func(ctx context.Context, e receiver.Event) error {
		deadline, ok := ctx.Deadline()
		require.True(t, ok, "the context has to end before the claim does")
		require.LessOrEqual(t, time.Until(deadline), receiver.DefaultTimeout)
		got = e
		return nil
	})

	header := sign(t, signature.SchemeStripe, "", stripeBody, "X-Trace", "7")
	requireReceived(t, post(h, header, stripeBody))
	require.Equal(t, "evt_1", got.ID)
	require.Equal(t, "order.created", got.Type)
	require.Equal(t, sentAt, got.Timestamp)
	require.JSONEq(t, `{"n":1}`, string(got.Data))
	require.Equal(t, "7", got.Header.Get("X-Trace"))
	require.Equal(t, stripeBody, string(got.Body))
}

func TestHandlerFillsInTheTime(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{Provider: receiver.GitHub})
	var got receiver.Event
	h.On("push", func(_ context.Context, e receiver.Event) error {
		got = e
		return nil
	})
	requireReceived(t, post(h, sign(t, signature.SchemeGitHub, "", "{}", "X-GitHub-Delivery", "1", "X-GitHub-Event", "push"), "{}"))
	require.Equal(t, sentAt, got.Timestamp)
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		header func(http.Header)
		body   string // signed
		sent   string // instead of it
	}{
		{name: "no signature", status: 401, body: stripeBody, header: func(h http.Header) { h.Del(signature.HeaderStripe) }},
		{name: "another body", status: 401, body: stripeBody, sent: strings.Replace(stripeBody, "evt_1", "evt_2", 1)},
		{name: "a blank more", status: 401, body: stripeBody, sent: stripeBody + " "},
		{name: "two signatures", status: 401, body: stripeBody, header: func(h http.Header) {
			h.Add(signature.HeaderStripe, h.Get(signature.HeaderStripe))
		}},
		{name: "not JSON", status: 400, body: "order created"},
		{name: "empty", status: 400, body: ""},
		{name: "a list", status: 400, body: "[" + stripeBody + "]"},
		{name: "null", status: 400, body: "null"},
		{name: "two objects", status: 400, body: stripeBody + stripeBody},
		{name: "no ID", status: 400, body: `{"type":"order.created"}`},
		{name: "no type", status: 400, body: `{"id":"evt_1"}`},
		{name: "ID in capitals", status: 400, body: `{"ID":"evt_1","type":"order.created"}`},
		{name: "ID that is an object", status: 400, body: `{"id":{"id":"evt_1"},"type":"order.created"}`},
		{name: "ID with a NUL", status: 400, body: `{"id":"evt\u00001","type":"order.created"}`},
		{name: "ID that is too long", status: 400, body: `{"id":"` + strings.Repeat("1", 256) + `","type":"order.created"}`},
		{name: "one byte too much", status: 413, body: `{"id":"evt_1","type":"order.created","x":"` + strings.Repeat("x", 1<<20)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var book logBook
			var called calls
			h := newHandler(t, receiver.Options{Logger: book.logger()})
			h.On("*", called.handle)
			header := sign(t, signature.SchemeStripe, "", test.body)
			signed := header.Get(signature.HeaderStripe)
			if test.header != nil {
				test.header(header)
			}
			if test.sent == "" {
				test.sent = test.body
			}

			requireRefused(t, test.status, post(h, header, test.sent))
			require.Zero(t, called.count())
			require.Len(t, book.lines(), 1, "every refusal is logged")
			require.NotContains(t, book.String(), signed, "no signature may be logged")
			require.NotContains(t, book.String(), "order", "no payload may be logged")
		})
	}
}

func TestHandlerRefusesOldRequests(t *testing.T) {
	t.Parallel()
	var now clock
	h := newHandler(t, receiver.Options{Now: now.now, Tolerance: time.Minute})
	var called calls
	h.On("*", called.handle)
	now.advance(time.Minute + time.Second)
	requireRefused(t, http.StatusUnauthorized, postStripe(t, h))
	now.advance(-time.Second)
	requireReceived(t, postStripe(t, h))
	require.Equal(t, 1, called.count())
}

func TestHandlerRefusesMethods(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		for token, allow := range map[string]string{"": "POST", "token": "GET, POST"} {
			if method == http.MethodGet && token != "" {
				continue
			}
			var called calls
			h := newHandler(t, receiver.Options{VerifyToken: token})
			h.On("*", called.handle)
			r := httptest.NewRequest(method, "/", strings.NewReader(stripeBody))
			r.Header = sign(t, signature.SchemeStripe, "", stripeBody)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			requireRefused(t, http.StatusMethodNotAllowed, w)
			require.Equal(t, allow, w.Header().Get("Allow"))
			require.Zero(t, called.count())
		}
	}
}

// bodyOf returns a signed event of exactly so many bytes.
func bodyOf(size int) string {
	const head, tail = `{"id":"evt_1","type":"order.created","data":"`, `"}`
	return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
}

func TestHandlerLimitsTheBody(t *testing.T) {
	t.Parallel()
	const limit = 1000
	for _, size := range []int{limit - 1, limit, limit + 1, 1000 * limit} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(size, chunked), func(t *testing.T) {
				t.Parallel()
				var called calls
				h := newHandler(t, receiver.Options{MaxBody: limit})
				h.On("*", called.handle)
				server := httptest.NewServer(h)
				defer server.Close()

				body := bodyOf(size)
				var reader io.Reader = strings.NewReader(body)
				if chunked {
					reader = io.MultiReader(reader) // its length cannot be seen
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, reader)
				require.NoError(t, err)
				r.Header = sign(t, signature.SchemeStripe, "", body)
				client := server.Client()
				resp, err := client.Do(r)
				if size > 2*limit && err != nil {
					// The connection may be closed while the client still writes.
					var network net.Error
					require.True(t, errors.As(err, &network), err)
					require.Zero(t, called.count())
					return
				}
				require.NoError(t, err)
				defer resp.Body.Close()
				if size <= limit {
					require.Equal(t, http.StatusOK, resp.StatusCode)
					require.Equal(t, 1, called.count())
					return
				}
				require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
				require.Zero(t, called.count())
			})
		}
	}
}

func TestHandlerDoesNotBelieveTheLength(t *testing.T) {
	t.Parallel()
	var called calls
	h := newHandler(t, receiver.Options{MaxBody: 1000})
	h.On("*", called.handle)
	body := bodyOf(1001)
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = sign(t, signature.SchemeStripe, "", body)
	r.ContentLength = 10
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	requireRefused(t, http.StatusRequestEntityTooLarge, w)
	require.Zero(t, called.count())
}

func TestHandlerAnswersABrokenBody(t *testing.T) {
	t.Parallel()
	var called calls
	h := newHandler(t, receiver.Options{})
	h.On("*", called.handle)
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(
		strings.NewReader(stripeBody), errReader{errors.New("connection reset")},
	))
	r.Header = sign(t, signature.SchemeStripe, "", stripeBody)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	requireRefused(t, http.StatusBadRequest, w)
	require.Zero(t, called.count())
}

// A body that says that it is too large is not even read.
func TestHandlerRefusesByLength(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{})
	r := httptest.NewRequest(http.MethodPost, "/", errReader{errors.New("read")})
	r.ContentLength = 1<<20 + 1
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	requireRefused(t, http.StatusRequestEntityTooLarge, w)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestHandlerAcceptsAnySecret(t *testing.T) {
	t.Parallel()
	var called calls
	h := newHandler(t, receiver.Options{Secrets: []string{strangerSecret, secret}})
	h.On("*", called.handle)
	requireReceived(t, postStripe(t, h))
	require.Equal(t, 1, called.count())
}

type password string

var errPassword = errors.New("wrong password")

func (p password) Verify(header http.Header, _ []byte) error {
	if header.Get("Authorization") != string(p) {
		return errPassword
	}
	return nil
}

func TestHandlerTakesAnotherVerifierAndProvider(t *testing.T) {
	t.Parallel()
	provider := receiver.Custom("acme", func(_ http.Header, body []byte) (receiver.Event, error) {
		id, eventType, ok := strings.Cut(string(body), " ")
		if !ok {
			return receiver.Event{}, fmt.Errorf("%w: no blank", receiver.ErrMalformed)
		}
		return receiver.Event{ID: id, Type: eventType}, nil
	})
	var called calls
	h := newHandler(t, receiver.Options{Provider: provider, Verifier: password("hush")})
	h.On("order.created", called.handle)

	requireRefused(t, http.StatusUnauthorized, post(h, http.Header{}, "1 order.created"))
	right := http.Header{"Authorization": {"hush"}}
	requireRefused(t, http.StatusBadRequest, post(h, right, "order"))
	requireRefused(t, http.StatusBadRequest, post(h, right, " order.created"))
	requireReceived(t, post(h, right, "1 order.created"))
	requireReceived(t, post(h, right, "1 order.created"))
	require.Equal(t, 1, called.count())
}

func TestHandlerLogsUnhandledTypesOnce(t *testing.T) {
	t.Parallel()
	var book logBook
	h := newHandler(t, receiver.Options{Logger: book.logger(), Endpoint: "till"})
	body := func(id, eventType string) string {
		return `{"id":"` + id + `","type":"` + eventType + `","data":"of nobody's concern"}`
	}
	for _, event := range [][2]string{{"1", "order.created"}, {"2", "order.created"}, {"3", "order.paid"}, {"1", "order.created"}} {
		requireReceived(t, postStripe(t, h, body(event[0], event[1])))
	}
	require.Len(t, book.lines(), 2)
	for i, eventType := range []string{"order.created", "order.paid"} {
		require.Contains(t, book.lines()[i], `"level":"INFO"`)
		require.Contains(t, book.lines()[i], `"type":"`+eventType+`"`)
		require.Contains(t, book.lines()[i], `"endpoint":"till"`)
		require.NotContains(t, book.lines()[i], "concern")
	}
}

func TestHandlerBoundsTheTypesThatItLogs(t *testing.T) {
	t.Parallel()
	var book logBook
	h := newHandler(t, receiver.Options{Provider: receiver.GitHub, Logger: book.logger()})
	header := sign(t, signature.SchemeGitHub, "", "{}", "X-GitHub-Delivery", "1")
	for i := range 1500 {
		header.Set("X-GitHub-Event", fmt.Sprint("forged", i))
		requireReceived(t, post(h, header, "{}"))
	}
	require.Len(t, book.lines(), 1000)
}
