package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// rateLimitRaised has deliveries wait for minutes, and then changes their webhook's limit: they are made at once, as are
// the events behind them and a resend.
func rateLimitRaised(t *testing.T, p *installation) {
	for name, changes := range map[string][]object{
		"raised":          {{"rate_limit": 100}},
		"lifted":          {{"rate_limit": nil}},
		"lifted, and set": {{"rate_limit": nil}, {"rate_limit": 100}},
		"set to the same, paused, resumed, raised": {
			{"rate_limit": 0.01}, {"active": false}, {"active": true}, {"rate_limit": 50},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := newReceiver(t, always(http.StatusOK))
			owner := p.newOwner(t, nil)
			webhook := p.newWebhook(t, owner, target.url, object{"rate_limit": 0.01})
			var ids []string
			for range 6 {
				ids = append(ids, p.send(t, owner, object{}))
			}
			target.await(t, 1)
			for _, id := range ids { // one that is on its way while the webhook is paused would be cancelled
				eventually(t, func() bool {
					shown := p.delivery(t, id)
					return shown.Status == "delivered" || shown.NextAttemptAt != nil
				}, "%s does not wait", id)
			}
			for _, change := range changes {
				p.call(t, http.MethodPatch, "/api/webhooks/"+webhook.ID, change, http.StatusOK, nil)
			}
			for range 5 {
				ids = append(ids, p.send(t, owner, object{}))
			}
			for _, id := range ids {
				p.await(t, id, "delivered")
			}
			require.Equal(t, len(ids), target.count(), "each arrived once")
		})
	}
}

// urlChanged moves a webhook away from a receiver that wants to be left alone for an hour: what waited for it, and what
// comes, is made at the new one.
func urlChanged(t *testing.T, p *installation) {
	old := newReceiver(t, func(int, *http.Request) answer {
		return answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"3600"}}}
	})
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	webhook := p.newWebhook(t, owner, old.url, nil)
	refused := p.send(t, owner, object{})
	p.await(t, refused, "failed")
	held := p.send(t, owner, object{})
	p.call(t, http.MethodPatch, "/api/webhooks/"+webhook.ID, object{"url": target.url}, http.StatusOK, nil)
	for _, id := range []string{p.send(t, owner, object{}), held, refused} {
		p.await(t, id, "delivered")
	}
	require.Equal(t, 3, target.count())
	require.Equal(t, 1, old.count())
}

// cancelThenResend asks for an attempt right behind a cancellation, again and again: each is made. A cancellation that
// comes behind that ends it.
func cancelThenResend(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusInternalServerError))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
	id := p.send(t, owner, object{})
	p.await(t, id, "failed")
	const times = 6
	for n := range times {
		p.call(t, http.MethodPost, "/api/deliveries/"+id+"/cancel", nil, http.StatusAccepted, nil)
		p.resend(t, id)
		target.await(t, n+2)
		eventually(t, func() bool {
			shown := p.delivery(t, id)
			return shown.AttemptCount == n+2 && shown.Status == "failed"
		}, "the resend is lost")
	}
	p.call(t, http.MethodPost, "/api/deliveries/"+id+"/cancel", nil, http.StatusAccepted, nil)
	p.resend(t, id)
	p.call(t, http.MethodPost, "/api/deliveries/"+id+"/cancel", nil, http.StatusAccepted, nil)
	p.await(t, id, "cancelled")
	awaitWorkflow(t, p.dial(t), id, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	require.LessOrEqual(t, target.count(), times+2)
}
