package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The receiver remembers what it got, within bounds, and answers as it is told to.
func TestReceiverOfTheConsole(t *testing.T) {
	t.Parallel()
	r, err := newReceiver(Listen{Status: http.StatusOK, FailFirst: 1000}, io.Discard)
	require.NoError(t, err)
	send := func(event, body string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hook", strings.NewReader(body))
		request.Header.Set("X-Webhook-Event", event)
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		return answer.Code
	}
	require.Equal(t, http.StatusInternalServerError, send("first", strings.Repeat("x", keptBody+1)))
	first := r.Received()[0]
	require.Len(t, first.Body, keptBody)
	require.True(t, first.Cut)
	r.Answer(http.StatusAccepted, time.Millisecond)
	status, delay := r.Manner()
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, time.Millisecond, delay)
	for n := range keptRequests {
		require.Equal(t, http.StatusAccepted, send(strconv.Itoa(n), "{}"), "also where it was told to fail at first")
	}
	received := r.Received()
	require.Len(t, received, keptRequests)
	require.Equal(t, strconv.Itoa(keptRequests-1), received[0].Event, "the newest first")
	require.Equal(t, http.StatusAccepted, received[0].Status)
}
