package egress

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A request may have a time limit of its own, longer or shorter than the client's, up to the longest there is.
func TestTimeLimitOfARequest(t *testing.T) {
	t.Parallel()
	deadlines := make(chan time.Time, 1)
	release := make(chan struct{})
	server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		deadlines <- time.Now()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	client := localClient(t, Config{Timeout: 20 * time.Second})
	_, err := client.Do(post(t, server.URL), Options{Timeout: 300 * time.Millisecond})
	require.Equal(t, "no answer within 300ms", requireClass(t, err, ClassTimeout))
	<-deadlines

	close(release)
	short := localClient(t, Config{Timeout: time.Nanosecond})
	_, err = short.Send(post(t, server.URL), 10)
	requireClass(t, err, ClassConnectTimeout)
	result, err := short.Do(post(t, server.URL), Options{Keep: 10, Timeout: time.Hour})
	require.NoError(t, err, "its own limit counts")
	require.Equal(t, http.StatusOK, result.StatusCode)
}
