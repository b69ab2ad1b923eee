package moving

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scripted is an API whose answers are given one after the other; the last one goes on. It keeps the requests.
type scripted struct {
	API
	keys, bodies []string
	waits        []time.Duration
}

type scriptedAnswer struct {
	status int
	after  string
	body   string
}

func newScripted(t *testing.T, answers ...scriptedAnswer) *scripted {
	t.Helper()
	s := &scripted{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.keys, s.bodies = append(s.keys, r.Header.Get("Idempotency-Key")), append(s.bodies, string(body))
		answer := answers[min(len(s.bodies), len(answers))-1]
		if answer.after != "" {
			w.Header().Set("Retry-After", answer.after)
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(server.Close)
	s.API = API{URL: server.URL + "/", Key: "a-key", Client: server.Client(), Wait: func(_ context.Context, d time.Duration) error {
		s.waits = append(s.waits, d)
		return nil
	}}
	return s
}

// What may pass is asked again, with the same key.
func TestCallsAreRepeated(t *testing.T) {
	t.Parallel()
	s := newScripted(t, scriptedAnswer{status: 503, after: "5"}, scriptedAnswer{status: 429}, scriptedAnswer{status: 409, after: "1"},
		scriptedAnswer{status: 502, after: "3600"}, scriptedAnswer{status: 201, body: `{"id":"wh_1"}`})
	made, err := s.createWebhook(t.Context(), object{"url": "https://a.example"}, "the-key")
	require.NoError(t, err)
	require.Equal(t, object{"id": "wh_1"}, made)
	require.Equal(t, []string{"the-key", "the-key", "the-key", "the-key", "the-key"}, s.keys)
	require.Equal(t, `{"url":"https://a.example"}`, s.bodies[4])
	require.Equal(t, []time.Duration{5 * time.Second, 2 * time.Second, 4 * time.Second, time.Minute}, s.waits)
}

func TestCallsEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer  scriptedAnswer
		calls   int
		refused bool
		says    string
	}{
		"field":   {scriptedAnswer{status: 422, body: `{"detail":"d","errors":[{"location":"body.url","message":"expected https"},{"location":"body.events[0]","message":"too long"}]}`}, 1, true, "url: expected https; events[0]: too long"},
		"detail":  {scriptedAnswer{status: 409, body: `{"detail":"the quota is used up"}`}, 1, true, "the quota is used up"},
		"key":     {scriptedAnswer{status: 401, body: `{"detail":"the key is not valid"}`}, 1, false, "the key is not valid"},
		"away":    {scriptedAnswer{status: 500}, maxTries, false, "500 Internal Server Error"},
		"another": {scriptedAnswer{status: 200, body: `<html>`}, 1, false, "the answer is not Postrider's: is --url right?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, test.answer)
			var into object
			err := s.call(t.Context(), http.MethodGet, "/api/webhooks", nil, "", &into)
			require.EqualError(t, err, test.says)
			var refused *refusedError
			require.Equal(t, test.refused, errors.As(err, &refused))
			require.Len(t, s.bodies, test.calls)
		})
	}
}

// A wait ends with the context.
func TestCallsEndWithTheContext(t *testing.T) {
	t.Parallel()
	s := newScripted(t, scriptedAnswer{status: 503})
	s.Wait = func(context.Context, time.Duration) error { return context.Canceled }
	require.ErrorIs(t, s.call(t.Context(), http.MethodGet, "/api/owners", nil, "", nil), context.Canceled)
	require.Len(t, s.bodies, 1)
}
