package workflows_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// gaveUp has other deliveries of the webhook fail for good at a time.
func (r *rig) gaveUp(deliveries int, at time.Time) {
	r.t.Helper()
	for range deliveries {
		published, err := r.store.Publish(r.t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: r.webhook.OwnerID})
		require.NoError(r.t, err)
		_, err = r.store.RecordAttempt(r.t.Context(), models.Outcome{Status: models.StatusPermanentlyFailed, Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, at), DeliveryID: published.Deliveries[0].ID, Number: 1, StartedAt: at,
			ErrorClass: models.ErrorHTTPStatus, Error: "the receiver answered 500 Internal Server Error",
		}})
		require.NoError(r.t, err)
	}
}

// requireTold asserts which kinds of notices the owner got. Notices do not wait for each other, so their order is any.
func (r *rig) requireTold(want ...notify.Notice) {
	r.t.Helper()
	r.email.mu.Lock()
	defer r.email.mu.Unlock()
	require.ElementsMatch(r.t, kinds(want), kinds(r.email.notices))
}

func kinds(notices []notify.Notice) []string {
	var kinds []string
	for _, notice := range notices {
		kinds = append(kinds, fmt.Sprintf("%T", notice))
	}
	return kinds
}

func withSchedule(waits ...time.Duration) option {
	return func(webhook *models.Webhook) { webhook.RetrySchedule = append(models.RetrySchedule{}, waits...) }
}

// The tenth delivery in a row that is given up makes the webhook failing. Its owner is told of both.
func TestOwnerIsToldThatAWebhookFails(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.gaveUp(9, start.Add(-time.Hour))
		requireExhausted(t, r.run())
		r.requireTold(notify.Failing{}, notify.Exhausted{})
		first := slices.Index(kinds(r.email.notices), "notify.Failing")
		notice := r.email.notices[first].(notify.Failing)
		require.Equal(t, 10, notice.FailedDeliveries)
		require.Equal(t, r.webhook.ID, notice.WebhookID)
		require.Equal(t, start.Add(-time.Hour), notice.FailingSince.UTC())
	})
}

// So does the first attempt that fails a day after the first failure, although nothing was given up yet. The
// attempts after it are no news.
func TestOwnerIsToldAfterADay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, withSchedule(13*time.Hour, 13*time.Hour, 13*time.Hour, 13*time.Hour))
		r.after(25*time.Hour, func() { r.requireTold() })
		for _, at := range []time.Duration{27 * time.Hour, 40 * time.Hour} {
			r.after(at, func() { r.requireTold(notify.Failing{}) })
		}
		requireExhausted(t, r.run())
		r.requireTold(notify.Failing{}, notify.Exhausted{})
	})
}

// When the database is away while it happens, the owner is told all the same, once.
func TestOwnerIsToldOfWhatIsRecordedLater(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, withSchedule())
		r.gaveUp(9, start.Add(-time.Hour))
		r.store.failRecord = 3
		requireExhausted(t, r.run())
		r.requireTold(notify.Failing{}, notify.Exhausted{})
	})
}

// A webhook that is failing already, or was told of within the hour, is not told of again.
func TestOwnerIsNotToldTwice(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, before := range map[string]func(*rig){
			"while it fails": func(r *rig) { r.gaveUp(15, start.Add(-2*time.Hour)) },
			"a webhook that flaps": func(r *rig) {
				r.gaveUp(10, start.Add(-30*time.Minute))
				r.succeeded(start.Add(-20 * time.Minute))
				r.gaveUp(9, start.Add(-10*time.Minute))
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open, withSchedule())
				before(r)
				requireExhausted(t, r.run())
				r.requireTold(notify.Exhausted{})
			})
		}
	})
}

// succeeded has another delivery of the webhook arrive.
func (r *rig) succeeded(at time.Time) {
	r.t.Helper()
	published, err := r.store.Publish(r.t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: r.webhook.OwnerID})
	require.NoError(r.t, err)
	_, err = r.store.RecordAttempt(r.t.Context(), models.Outcome{Status: models.StatusDelivered, Attempt: models.Attempt{
		ID: typeid.New(typeid.KindAttempt, at), DeliveryID: published.Deliveries[0].ID, Number: 1, StartedAt: at,
	}})
	require.NoError(r.t, err)
}

// Nothing has succeeded for five days and ten deliveries were given up: the webhook is disabled and its owner
// told. What waits for it ends cancelled when it is due, until someone enables the webhook again.
func TestWebhookIsDisabledAfterFiveDays(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		const day = 24 * time.Hour
		r := newRig(t, open)
		r.gaveUp(10, start.Add(-5*day-time.Minute))
		r.after(30*time.Second, func() {
			webhook, err := r.store.Webhook(t.Context(), models.Scope{}, r.webhook.ID)
			require.NoError(t, err)
			require.False(t, webhook.Active)
			require.Contains(t, webhook.DisabledReason, "nothing has succeeded since")
			r.requireTold(notify.Disabled{})
			require.Equal(t, models.StatusFailed, r.row().Status)
		})
		requireCanceled(t, r.run())
		require.Contains(t, r.row().CancelReason, "the webhook is disabled: nothing has succeeded since")
		r.requireTold(notify.Disabled{})
		r.requireTimes(0)
	})
}

// Enabled in time, it never stopped.
func TestWebhookIsEnabledAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		const day = 24 * time.Hour
		r := newRig(t, open)
		r.gaveUp(10, start.Add(-5*day))
		r.receiver.answers(answer{status: http.StatusInternalServerError}, answer{status: http.StatusOK})
		r.after(30*time.Second, func() {
			_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(webhook *models.Webhook) error {
				webhook.Active, webhook.DisabledReason = true, ""
				return nil
			})
			require.NoError(t, err)
		})
		require.NoError(t, r.run())
		r.requireTimes(0, time.Minute)
		r.requireTold(notify.Disabled{})
	})
}
