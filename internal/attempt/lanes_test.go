package attempt_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/models"
)

// next publishes one more delivery to the rig's webhook, which the following calls are about.
func (r *rig) next() {
	r.t.Helper()
	published, err := r.store.Publish(r.t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`)})
	require.NoError(r.t, err)
	r.delivery = published.Deliveries[0]
	r.scheduledAt = r.scheduledAt.Add(time.Millisecond)
}

// deliverLocally makes a first attempt as a workflow does, within its task.
func (r *rig) deliverLocally() attempt.Result {
	r.t.Helper()
	return r.make(r.input(1), attempt.Run{ID: testRun, Local: true})
}

// again makes the attempt to which a detour leads, in an activity of its own.
func (r *rig) again(detour *attempt.Detour) attempt.Result {
	r.t.Helper()
	in := r.input(1)
	in.Slow, in.ReservedAt, in.ReservedSince, in.Detours = detour.Slow, detour.ReservedAt, detour.ReservedSince, 1
	return r.make(in, attempt.Run{ID: testRun})
}

func (r *rig) limit(perSecond float64) {
	r.t.Helper()
	_, err := r.store.UpdateWebhook(r.t.Context(), models.Scope{}, r.webhook.ID, func(webhook *models.Webhook) error {
		webhook.RateLimit = &perSecond
		return nil
	})
	require.NoError(r.t, err)
}

// A webhook whose last two attempts failed gets the next ones in the slow lane, until one succeeds there. What
// makes a detour is no attempt, and the sweep does not take it for forgotten.
func TestWebhookThatFailsGoesToTheSlowLane(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status = http.StatusInternalServerError
		result := r.deliver(1)
		require.False(t, result.Sick, "the first failure may be an accident")
		require.True(t, r.deliver(2).Sick)
		require.Len(t, r.requests, 2)

		r.next()
		result = r.deliverLocally()
		require.Equal(t, &attempt.Detour{Slow: true}, result.Detour)
		require.Equal(t, models.StatusPending, result.Status)
		require.Len(t, r.requests, 2)
		require.Empty(t, r.attempts())
		pending, err := r.store.PendingDeliveries(t.Context(), now, "", 10)
		require.NoError(t, err)
		require.Empty(t, pending)
		require.WithinDuration(t, now.Add(10*time.Minute), *r.job().Delivery.LeasedUntil, time.Millisecond)
		require.WithinDuration(t, now, *r.job().Delivery.NextAttemptAt, time.Millisecond, "it is due now")

		r.status = http.StatusOK
		require.Equal(t, models.StatusDelivered, r.again(result.Detour).Status)
		r.next()
		require.Nil(t, r.deliverLocally().Detour, "it is well again")
		require.Len(t, r.requests, 4)
	})
}

// A rate limit is waited for: shortly in an activity, for longer by the workflow, never within a workflow task.
func TestRateLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.limit(10)
		slot := func(n int) *time.Time {
			at := now.Add(time.Duration(n) * 100 * time.Millisecond)
			return &at
		}
		since := now.UnixMicro() // when the limit was set
		require.Nil(t, r.deliverLocally().Detour, "the first one has nothing to wait for")
		r.next()
		require.Nil(t, r.deliverLocally().Detour, "the second one has next to nothing to wait for")
		for n := 2; n <= 20; n++ {
			r.next()
			require.Equal(t, &attempt.Detour{ReservedAt: slot(n), ReservedSince: since}, r.deliverLocally().Detour)
		}
		r.next()
		detour := r.deliverLocally().Detour
		require.Equal(t, &attempt.Detour{ReservedAt: slot(21), ReservedSince: since, WaitMS: 100}, detour)
		pending, err := r.store.PendingDeliveries(t.Context(), now.Add(time.Minute), "", 100)
		require.NoError(t, err)
		require.Empty(t, pending)
		require.Len(t, r.requests, 2)

		r.maker.Now = func() time.Time { return *slot(21) }
		require.Equal(t, models.StatusDelivered, r.again(detour).Status)
		require.Len(t, r.requests, 3)
	})
}

// Whoever comes after its moment takes another one: two requests would be too close to each other otherwise.
func TestMomentThatWasMissed(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.limit(0.1)
		require.Nil(t, r.deliverLocally().Detour)
		r.next()
		detour := r.deliverLocally().Detour
		first := now.Add(10 * time.Second)
		require.Equal(t, &attempt.Detour{ReservedAt: &first, ReservedSince: now.UnixMicro(), WaitMS: 8000}, detour)

		r.maker.Now = func() time.Time { return first.Add(5*time.Second + time.Microsecond) }
		second := now.Add(20 * time.Second)
		require.Equal(t, second, *r.again(detour).Detour.ReservedAt)
		require.Len(t, r.requests, 1)
		r.maker.Now = func() time.Time { return second.Add(5 * time.Second) }
		require.Equal(t, models.StatusDelivered, r.again(&attempt.Detour{ReservedAt: &second, ReservedSince: now.UnixMicro()}).Status)
	})
}

// A test is waited for by a person: neither health nor rate limit holds it back, and it says nothing of them.
func TestATestGoesAhead(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.limit(0.01)
		r.status = http.StatusInternalServerError
		r.deliver(1)
		for range 2 {
			delivery, err := r.store.PublishTest(t.Context(), r.webhook, []byte(`{}`))
			require.NoError(t, err)
			r.delivery = delivery
			r.scheduledAt = r.scheduledAt.Add(time.Millisecond)
			require.Equal(t, models.StatusPermanentlyFailed, r.deliverLocally().Status)
		}
		require.Len(t, r.requests, 3)
		healths, err := r.store.WebhookHealths(t.Context(), []string{r.webhook.ID})
		require.NoError(t, err)
		require.Equal(t, 1, healths[r.webhook.ID].ConsecutiveFailures)
	})
}
