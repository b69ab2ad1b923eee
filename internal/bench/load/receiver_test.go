package load

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReceiver(t *testing.T) {
	t.Parallel()
	r, err := StartReceiver("127.0.0.1:0", "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	l := newLedger()
	for webhook := range 3 {
		l.Open(0, webhook, 1)
	}
	load := &Reception{name: "bench-1", ledger: l, release: make(chan struct{}), reply: func(webhook, event int, attempt string) Reply {
		switch {
		case webhook == 1 && attempt == "1":
			return Reply{Status: http.StatusServiceUnavailable}
		case webhook == 2:
			return Reply{Status: http.StatusOK, After: time.Hour}
		}
		return Reply{Status: http.StatusOK}
	}}
	r.Expect(load)
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
	body := func(n int) string { return `{"id":"dlv_1","data":` + Data(n, "x") + `}` }

	require.Equal(t, http.StatusOK, deliver(r.Path("bench-1", 1), "1", body(1)), "nothing is refused during the warm-up")
	load.measured.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, deliver(r.Path("bench-1", 1), "1", body(1)))
	require.Equal(t, http.StatusOK, deliver(r.Path("bench-1", 1), "2", body(1)))
	require.Equal(t, http.StatusOK, deliver(r.Path("bench-1", 0), "1", body(0)))
	require.Equal(t, http.StatusOK, deliver(r.Path("bench-0", 0), "1", body(0)), "a straggler of another load")
	require.Equal(t, http.StatusBadRequest, deliver(r.Path("bench-1", 0), "1", body(7)), "an event that was never published")
	require.Equal(t, http.StatusBadRequest, deliver(r.Path("bench-1", 0), "1", `{"data":{}}`))
	close(load.release)
	require.Equal(t, http.StatusOK, deliver(r.Path("bench-1", 2), "1", body(2)), "released, it does not wait")

	got := l.Reconcile(nil)
	require.Equal(t, 1, got.Duplicated)
	require.Equal(t, 1, got.Refusals)
	_, arrived, missing := l.Progress()
	require.Equal(t, 3, arrived)
	require.Zero(t, missing)
}
