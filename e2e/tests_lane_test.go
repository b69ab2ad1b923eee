package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests that a process has under way at once: of a webhook and of an owner.
const testsOfWebhook, testsOfOwner = 2, 5

// TestTestsHaveALaneOfTheirOwn lets one owner test its webhooks sixty times at once, whose receiver hangs. Few requests
// reach it, the other calls are told when to come back, and another owner's deliveries go on.
func TestTestsHaveALaneOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"POSTRIDER_FIRST_ATTEMPT=workflow", directly} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := prepareDev(t, mode)
			p.start(t)
			testsLane(t, p)
		})
	}
}

func testsLane(t *testing.T, p *installation) {
	const calls, webhooks = 60, 3
	way := newGate(t)
	target := newReceiver(t, func(_ int, r *http.Request) answer {
		select {
		case <-way.way:
		case <-r.Context().Done():
		}
		return answer{status: http.StatusOK}
	})
	owner := p.newOwner(t, nil)
	var tested []string
	for range webhooks {
		tested = append(tested, p.newWebhook(t, owner, target.url, nil).ID)
	}
	answers := make(chan *http.Response, calls)
	var under sync.WaitGroup
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	for n := range calls {
		under.Go(func() { answers <- p.test(ctx, tested[n%webhooks]) })
	}
	target.await(t, testsOfOwner)
	for range calls - testsOfOwner {
		refused := <-answers
		require.NotNil(t, refused)
		require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
		require.NotEmpty(t, refused.Header.Get("Retry-After"))
	}
	fine, id := p.begin(t, always(http.StatusOK))
	p.await(t, id, "delivered")
	require.Equal(t, 1, fine.count())
	require.Equal(t, testsOfOwner, target.count())

	// Who hangs up is let go at once, and makes no room while the receiver holds its request.
	hangUp()
	under.Wait()
	for range testsOfOwner {
		require.Nil(t, <-answers)
	}
	for _, webhook := range tested {
		refused := p.test(t.Context(), webhook)
		require.NotNil(t, refused)
		require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
	}
	require.Equal(t, testsOfOwner, target.count())
	way.open()
	for _, webhook := range tested {
		eventually(t, func() bool {
			answered := p.test(t.Context(), webhook)
			return answered != nil && answered.StatusCode == http.StatusOK
		}, "the receiver answers again, and no test is made")
	}
	of := map[string]int{}
	for _, request := range target.all()[:testsOfOwner] {
		for _, delivery := range p.list(t, "/api/deliveries?event=webhook.test&owner_id="+owner) {
			if delivery.ID == request.deliveryID() {
				of[delivery.WebhookID]++
			}
		}
	}
	for webhook, n := range of {
		require.LessOrEqual(t, n, testsOfWebhook, webhook)
	}
	require.Len(t, of, webhooks)
}

// test tests a webhook, and returns the answer without its body; nil when there was none.
func (p *installation) test(ctx context.Context, webhookID string) *http.Response {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/webhooks/"+webhookID+"/test", strings.NewReader(""))
	if err != nil {
		return nil
	}
	request.Header.Set("Authorization", "Bearer "+p.adminKey)
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return nil
	}
	_ = response.Body.Close()
	return response
}
