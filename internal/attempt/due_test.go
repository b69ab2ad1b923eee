package attempt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/models"
)

// An attempt that is asked for before its event's time is made then: not because its workflow was started early, but when
// someone asks for it now.
func TestAnEventForLaterWaits(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		at := now.Add(time.Hour + 500*time.Microsecond)
		published, err := r.store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`1`), DeliverAt: &at})
		require.NoError(t, err)
		r.delivery = published.Deliveries[0]
		result := r.deliver(1)
		require.Equal(t, &attempt.Detour{Scheduled: true, WaitMS: time.Hour.Milliseconds() + 1}, result.Detour)
		require.Equal(t, models.StatusPending, result.Status)
		require.Empty(t, r.requests)

		in := r.input(1)
		in.Trigger = models.TriggerResend
		require.Equal(t, models.StatusDelivered, r.make(in, attempt.Run{ID: testRun}).Status)
		require.Len(t, r.requests, 1)
	})
}

// A pause is looked at when the time has come.
func TestAnEventForLaterIsCancelledWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		at := now.Add(time.Hour)
		published, err := r.store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`1`), DeliverAt: &at})
		require.NoError(t, err)
		r.delivery = published.Deliveries[0]
		_, err = r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
			w.Active = false
			return nil
		})
		require.NoError(t, err)
		require.NotNil(t, r.deliver(1).Detour)
		r.maker.Now = func() time.Time { return at }
		result := r.deliver(1)
		require.Equal(t, models.StatusCancelled, result.Status)
		require.Equal(t, "the webhook is paused", result.CancelReason)
		require.Empty(t, r.requests)
	})
}
