package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Every way to end is noted with its time, and a resend that goes on takes it back.
func TestEveryEndHasItsTime(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		took := 12 * time.Millisecond
		for _, status := range []models.Status{models.StatusDelivered, models.StatusPermanentlyFailed} {
			delivery := r.publish(string(status))
			require.Nil(t, r.row(delivery.ID).EndedAt)
			attempted(t, r.store, delivery, 1, models.StatusFailed)
			require.Nil(t, r.row(delivery.ID).EndedAt, "it waits")
			r.clock.Advance(time.Minute)
			attempted(t, r.store, delivery, 2, status)
			end := r.store.Now().Add(took)
			requireTime(t, &end, r.row(delivery.ID).EndedAt)
			attempted(t, r.store, delivery, 3, models.StatusFailed)
			require.Nil(t, r.row(delivery.ID).EndedAt, "a resend goes on")
		}
		for name, end := range map[string]func(id string) error{
			string(models.CauseRequest): func(id string) error {
				return r.store.CancelDelivery(t.Context(), id, models.CauseRequest, "cancelled on request")
			},
			string(models.CauseInactive): func(id string) error {
				return r.store.CancelDelivery(t.Context(), id, models.CauseInactive, "the webhook is paused")
			},
			string(models.CauseDeleted): func(id string) error {
				return r.store.CancelDelivery(t.Context(), id, models.CauseDeleted, "the webhook was deleted")
			},
		} {
			delivery := r.publish(name)
			r.clock.Advance(time.Minute)
			require.NoError(t, end(delivery.ID))
			now := r.store.Now()
			row := r.row(delivery.ID)
			requireTime(t, &now, row.EndedAt)
			require.Equal(t, models.CancelCause(name), row.CancelCause)
			require.NotEmpty(t, row.CancelReason)
			next := now.Add(time.Minute)
			_, err := r.store.RecordAttempt(t.Context(), models.Outcome{Status: models.StatusFailed, NextAttemptAt: &next, RunID: "run", Attempt: models.Attempt{
				ID: typeid.New(typeid.KindAttempt, now), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerResend, StartedAt: now,
			}})
			require.NoError(t, err)
			row = r.row(delivery.ID)
			require.Nil(t, row.EndedAt)
			require.Empty(t, row.CancelCause)
		}
		// Successes that come together.
		delivery := r.publish("batch")
		require.NoError(t, r.store.CancelDelivery(t.Context(), delivery.ID, models.CauseInactive, "the webhook is paused"))
		r.clock.Advance(time.Minute)
		now := r.store.Now()
		attempt := models.Attempt{ID: typeid.New(typeid.KindAttempt, now), DeliveryID: delivery.ID, Number: 1, StartedAt: now, DurationMS: 12}
		_, err := r.store.RecordAttempt(t.Context(), models.Outcome{
			Attempt: attempt, Status: models.StatusDelivered, RunID: "run", Health: models.WebhookHealth{WebhookID: r.webhook.ID, LastSuccessAt: &now},
		})
		require.NoError(t, err)
		end := now.Add(took)
		row := r.row(delivery.ID)
		requireTime(t, &end, row.EndedAt)
		requireTime(t, row.DeliveredAt, row.EndedAt)
		require.Empty(t, row.CancelCause)
	})
}

// Two attempts fail at the same time, and the one that failed last is recorded first. Who recovers since what the
// owner was told, which is the first that was recorded, finds both.
func TestNothingEndsBeforeItsWebhookBeganToFail(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		fail := func(name string, at time.Time) models.Delivery {
			delivery := r.publish(name)
			_, err := r.store.RecordAttempt(t.Context(), models.Outcome{Status: models.StatusPermanentlyFailed, RunID: "run", Attempt: models.Attempt{
				ID: typeid.New(typeid.KindAttempt, at), DeliveryID: delivery.ID, Number: 1, StartedAt: at, DurationMS: 6000,
				ErrorClass: models.ErrorTimeout, Error: "no answer",
			}})
			require.NoError(t, err)
			return delivery
		}
		began := r.store.Now()
		waits := r.publish("stopped")
		last := fail("failed last", began.Add(2*time.Second))
		told := r.firstFailure()
		require.Equal(t, began.Add(8*time.Second), told)
		fail("failed first", began)
		r.clock.Set(began.Add(7 * time.Second)) // by the clock of this host
		require.NoError(t, r.store.CancelDelivery(t.Context(), waits.ID, models.CauseInactive, "the webhook is paused"))
		require.Equal(t, told, r.firstFailure())
		require.Equal(t, told, r.row(last.ID).EndedAt.UTC())
		r.clock.Set(began.Add(time.Minute))
		require.ElementsMatch(t, []string{"failed last", "failed first", "stopped"}, r.brings(models.IncludeFailed, told, r.store.Now()))

		// Before it fails, and for a webhook that was never called, the time is the host's.
		attempted(t, r.store, r.publish("success"), 1, models.StatusDelivered)
		waits = r.publish("stopped later")
		require.NoError(t, r.store.CancelDelivery(t.Context(), waits.ID, models.CauseInactive, "the webhook is paused"))
		require.Equal(t, r.store.Now(), r.row(waits.ID).EndedAt.UTC())
	})
}

// firstFailure is what the API, the operational events and the notices show.
func (r *recoveryRig) firstFailure() time.Time {
	r.t.Helper()
	healths, err := r.store.WebhookHealths(r.t.Context(), []string{r.webhook.ID})
	require.NoError(r.t, err)
	require.NotNil(r.t, healths[r.webhook.ID].FirstFailureAt)
	return healths[r.webhook.ID].FirstFailureAt.UTC()
}
