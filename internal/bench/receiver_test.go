package bench

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReceiver(t *testing.T) {
	t.Parallel()
	r, err := startReceiver("127.0.0.1:0", "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.close()) })
	l := newLedger()
	for webhook := range 3 {
		l.open(0, webhook, 1)
	}
	load := &reception{name: "bench-1", ledger: l, release: make(chan struct{}), reply: func(webhook, event int, attempt string) reply {
		switch {
		case webhook == 1 && attempt == "1":
			return reply{status: http.StatusServiceUnavailable}
		case webhook == 2:
			return reply{status: http.StatusOK, after: time.Hour}
		}
		return reply{status: http.StatusOK}
	}}
	r.expect(load)
	client := &http.Client{}
	t.Cleanup(client.CloseIdleConnections)
	deliver := func(path, attempt, body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Webhook-Id", "dlv_1")
		request.Header.Set("X-Webhook-Attempt", attempt)
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	body := func(n int) string { return `{"id":"dlv_1","data":` + dataOf(n, "x") + `}` }

	require.Equal(t, http.StatusOK, deliver(r.path("bench-1", 1), "1", body(1)), "nothing is refused during the warm-up")
	load.measured.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, deliver(r.path("bench-1", 1), "1", body(1)))
	require.Equal(t, http.StatusOK, deliver(r.path("bench-1", 1), "2", body(1)))
	require.Equal(t, http.StatusOK, deliver(r.path("bench-1", 0), "1", body(0)))
	require.Equal(t, http.StatusOK, deliver(r.path("bench-0", 0), "1", body(0)), "a straggler of another load")
	require.Equal(t, http.StatusBadRequest, deliver(r.path("bench-1", 0), "1", body(7)), "an event that was never published")
	require.Equal(t, http.StatusBadRequest, deliver(r.path("bench-1", 0), "1", `{"data":{}}`))
	close(load.release)
	require.Equal(t, http.StatusOK, deliver(r.path("bench-1", 2), "1", body(2)), "released, it does not wait")

	got := l.reconcile(nil)
	require.Equal(t, 1, got.duplicated)
	require.Equal(t, 1, got.refusals)
	_, arrived, missing := l.progress()
	require.Equal(t, 3, arrived)
	require.Zero(t, missing)
}
