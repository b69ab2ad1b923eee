package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// The longest throttle holds, until it is over, a success that began behind the last failure lifts it, or
// someone enables the webhook anew.
func TestThrottleOfAWebhook(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		begun := clock.Now()
		attempt := func(started time.Time, throttle time.Duration) {
			t.Helper()
			delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
			outcome := models.Outcome{Status: models.StatusDelivered, RunID: "run", Attempt: models.Attempt{
				ID: typeid.New(typeid.KindAttempt, clock.Now()), DeliveryID: delivery.ID, Number: 1,
				Trigger: models.TriggerSchedule, DurationMS: 20, StartedAt: started,
			}}
			if throttle > 0 {
				next, until := clock.Now().Add(time.Minute), begun.Add(throttle)
				outcome.Status, outcome.NextAttemptAt = models.StatusFailed, &next
				outcome.Attempt.ErrorClass, outcome.ThrottledUntil = models.ErrorHTTPStatus, &until
			}
			if throttle < 0 {
				outcome.Status, outcome.Attempt.ErrorClass = models.StatusPermanentlyFailed, models.ErrorTimeout
			}
			record(t, store, outcome)
		}
		requireThrottle := func(want time.Duration) {
			t.Helper()
			healths, err := store.WebhookHealths(t.Context(), []string{webhook.ID})
			require.NoError(t, err)
			if want == 0 {
				require.Nil(t, healths[webhook.ID].ThrottledUntil)
				return
			}
			until := begun.Add(want)
			requireTime(t, &until, healths[webhook.ID].ThrottledUntil)
		}
		attempt(clock.Now(), 0)
		requireThrottle(0)
		attempt(clock.Now(), 10*time.Minute)
		requireThrottle(10 * time.Minute)
		attempt(clock.Now(), 5*time.Minute)
		requireThrottle(10 * time.Minute)
		attempt(clock.Now(), 10*time.Minute+time.Millisecond)
		requireThrottle(10*time.Minute + time.Millisecond)
		attempt(clock.Now(), -1) // a failure that says nothing of it
		requireThrottle(10*time.Minute + time.Millisecond)
		attempt(clock.Now(), 0) // it was on its way already
		requireThrottle(10*time.Minute + time.Millisecond)
		clock.Advance(21 * time.Millisecond)
		attempt(clock.Now(), 0)
		requireThrottle(0)

		attempt(clock.Now(), 10*time.Minute)
		for _, active := range []bool{false, true} {
			_, err := store.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
				w.Active = active
				return nil
			})
			require.NoError(t, err)
		}
		requireThrottle(0)
	})
}

// First attempts that begin with what the publisher was answered know as much as those that load it.
func TestPublishedWithTheThrottle(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		first := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		next, until := clock.Now().Add(time.Minute), clock.Now().Add(time.Hour)
		record(t, store, models.Outcome{
			Attempt: models.Attempt{ID: typeid.New(typeid.KindAttempt, clock.Now()), DeliveryID: first.ID, Number: 1,
				Trigger: models.TriggerSchedule, ErrorClass: models.ErrorHTTPStatus, StartedAt: clock.Now()},
			Status: models.StatusFailed, NextAttemptAt: &next, ThrottledUntil: &until, RunID: "run",
		})
		published := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
		require.Equal(t, db.Name() == "postgres", published.Jobs != nil)
		loaded, err := store.Job(t.Context(), published.Deliveries[0].ID, "")
		require.NoError(t, err)
		for _, job := range append(published.Jobs, loaded) {
			require.Equal(t, 1, job.Health.ConsecutiveFailures)
			requireTime(t, &until, job.Health.ThrottledUntil)
			failed := clock.Now()
			requireTime(t, &failed, job.Health.FirstFailureAt)
		}
	})
}
