package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// overloadedReceiver asks for ten seconds without requests: what is published meanwhile waits for their end and
// then arrives, with one attempt each.
func overloadedReceiver(t *testing.T, p *installation) {
	const pause = 10 * time.Second
	target := newReceiver(t, func(n int, _ *http.Request) answer {
		if n == 1 {
			return answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"10"}}}
		}
		return answer{status: http.StatusOK}
	})
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, nil)
	refused := p.send(t, owner, object{})
	p.await(t, refused, "failed")
	var ids []string
	for range 5 {
		ids = append(ids, p.send(t, owner, object{}))
	}
	for _, id := range ids {
		require.Equal(t, 1, p.await(t, id, "delivered").AttemptCount)
	}
	requests := target.all()
	require.Len(t, requests, 1+len(ids))
	for _, request := range requests[1:] {
		require.GreaterOrEqual(t, request.at.Sub(requests[0].at), pause-time.Millisecond, "Postrider counts milliseconds")
	}
	timers := timersOf(t, historyOf(t, p.dial(t), ids[0], ""))
	require.NotEmpty(t, timers)
	require.Equal(t, "the receiver is overloaded", timers[0].summary)
	p.call(t, http.MethodPost, "/api/deliveries/"+refused+"/cancel", nil, http.StatusAccepted, nil)
	p.await(t, refused, "cancelled")
}
