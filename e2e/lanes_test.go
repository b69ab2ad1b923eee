package e2e

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// TestManyWebhooksHang floods webhooks that keep every request waiting: there are more deliveries than places for
// attempts. A webhook of somebody else gets its events all the same, while not one of those requests has been
// answered. When they are, everything arrives.
func TestManyWebhooksHang(t *testing.T) {
	t.Parallel()
	const webhooks, events, calmEvents = 12, 100, 5
	p := prepareProduction(t)
	p.start(t)
	hanging := &hangingReceiver{gate: newGate(t)}
	target := newReceiver(t, hanging.answer)
	noisy, calm := p.newOwner(t, nil), p.newOwner(t, nil)
	for range webhooks {
		// However long the flood takes, nothing is given up meanwhile: each attempt hangs for 30 s.
		p.newWebhook(t, noisy, target.url, object{"retry_schedule": slices.Repeat([]string{"1s"}, models.MaxRetries)})
	}
	p.newWebhook(t, calm, newReceiver(t, always(http.StatusOK)).url, nil)
	for n := range events {
		require.Equal(t, webhooks, p.publish(t, noisy, "order.created", object{"n": n}).Deliveries)
		if n%(events/calmEvents) == 0 {
			p.await(t, p.send(t, calm, object{}), "delivered")
		}
	}
	p.await(t, p.send(t, calm, object{}), "delivered")
	now, most := hanging.counts()
	t.Logf("%d requests hang, at most %d at once, of %d deliveries", now, most, webhooks*events)
	require.NotZero(t, now)
	require.LessOrEqual(t, most, (attempt.FastSlots+attempt.SlowSlots)*7/10)

	hanging.gate.open()
	db := storetest.Open(t, p.databaseURL)
	eventuallyWithin(t, 3*patience, func() bool {
		var delivered int64
		require.NoError(t, db.Model(&models.Delivery{}).Where("owner_id = ? AND status = 'delivered'", noisy).Count(&delivered).Error)
		return delivered == webhooks*events
	}, "not everything arrives")
}

// hangingReceiver answers nothing until its gate is opened.
type hangingReceiver struct {
	gate *gate
	mu   sync.Mutex
	// now and most count the requests that wait.
	now, most int
}

func (h *hangingReceiver) answer(n int, r *http.Request) answer {
	h.wait(1)
	defer h.wait(-1)
	return h.gate.holding(n, always(http.StatusOK))(n, r)
}

func (h *hangingReceiver) wait(change int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now += change
	h.most = max(h.most, h.now)
}

func (h *hangingReceiver) counts() (now, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now, h.most
}
