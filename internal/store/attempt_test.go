package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestRecordAttemptChangesTheDelivery(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]

		// The receiver cannot be reached at first.
		clock.Advance(time.Second)
		next := clock.Now().Add(time.Minute)
		first := models.Attempt{
			ID: models.AttemptID("run-1", 1, clock.Now()), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule,
			ErrorClass: models.ErrorConnectionRefused, Error: "connection refused", DurationMS: 3, StartedAt: clock.Now(),
		}
		record(t, store, models.Outcome{Attempt: first, Status: models.StatusFailed, NextAttemptAt: &next, RunID: "run-1"})
		got, err := store.Delivery(t.Context(), everything, delivery.ID)
		require.NoError(t, err)
		requireTime(t, &next, got.NextAttemptAt)
		got.CreatedAt, got.NextAttemptAt = delivery.CreatedAt, nil
		want := delivery
		want.Status, want.AttemptCount, want.LastError, want.RunID = models.StatusFailed, 1, "connection refused", "run-1"
		require.Equal(t, want, got)

		// It is cancelled, resent after all, and delivered: what the failure left behind is gone.
		require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "for a test"))
		clock.Advance(time.Minute)
		code := 201
		second := models.Attempt{
			ID: models.AttemptID("run-2", 1, clock.Now()), DeliveryID: delivery.ID, Number: 2, Trigger: models.TriggerResend,
			StatusCode: &code, DurationMS: 250, ResponseBody: []byte("\x00\xffok"), RemoteAddr: "127.0.0.1:80", StartedAt: clock.Now(),
		}
		record(t, store, models.Outcome{Attempt: second, Status: models.StatusDelivered, RunID: "run-2"})
		got, err = store.Delivery(t.Context(), everything, delivery.ID)
		require.NoError(t, err)
		deliveredAt := clock.Now().Add(250 * time.Millisecond)
		requireTime(t, &deliveredAt, got.DeliveredAt)
		requireTime(t, &deliveredAt, got.EndedAt)
		got.CreatedAt, got.DeliveredAt, got.EndedAt = delivery.CreatedAt, nil, nil
		want = delivery
		want.Status, want.AttemptCount, want.LastStatusCode, want.RunID = models.StatusDelivered, 2, &code, "run-2"
		require.Equal(t, want, got)

		attempts, err := store.Attempts(t.Context(), delivery.ID)
		require.NoError(t, err)
		require.Len(t, attempts, 2)
		for i, recorded := range []models.Attempt{first, second} {
			requireTime(t, &recorded.StartedAt, &attempts[i].StartedAt)
			attempts[i].StartedAt = recorded.StartedAt
			require.Equal(t, recorded.Of(delivery), attempts[i])
		}
	})
}

func TestRecordAttemptAgainChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		attempt := attempted(t, store, delivery, 1, models.StatusDelivered)
		before, err := store.Delivery(t.Context(), everything, delivery.ID)
		require.NoError(t, err)

		attempt.Number, attempt.Error = 7, "not what was recorded"
		record(t, store, models.Outcome{
			Attempt: attempt, Status: models.StatusPermanentlyFailed, RunID: "another", DisableWebhook: "gone",
		})
		after, err := store.Delivery(t.Context(), everything, delivery.ID)
		require.NoError(t, err)
		require.Equal(t, before, after)
		attempts, err := store.Attempts(t.Context(), delivery.ID)
		require.NoError(t, err)
		require.Len(t, attempts, 1)
		require.Equal(t, 1, attempts[0].Number)
		got, err := store.Webhook(t.Context(), everything, webhook.ID)
		require.NoError(t, err)
		require.True(t, got.Active)
	})
}

// When the delivery cannot be changed, the attempt is not there either.
func TestRecordAttemptIsOneTransaction(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		require.NoError(t, db.Exec("ALTER TABLE webhooks RENAME TO away").Error)
		outcome := models.Outcome{
			Attempt: models.Attempt{ID: typeid.New(typeid.KindAttempt, store.Now()), DeliveryID: delivery.ID, Number: 1,
				Trigger: models.TriggerSchedule, StartedAt: store.Now(), ErrorClass: models.ErrorHTTPStatus},
			Status: models.StatusPermanentlyFailed, RunID: "run", DisableWebhook: "gone",
		}
		_, err := store.RecordAttempt(t.Context(), outcome)
		require.Error(t, err)
		attempts, err := store.Attempts(t.Context(), delivery.ID)
		require.NoError(t, err)
		require.Empty(t, attempts)
		got, err := store.Delivery(t.Context(), everything, delivery.ID)
		require.NoError(t, err)
		require.Equal(t, models.StatusPending, got.Status)

		// The same outcome can be recorded once the fault is gone.
		require.NoError(t, db.Exec("ALTER TABLE away RENAME TO webhooks").Error)
		record(t, store, outcome)
		disabled, err := store.Webhook(t.Context(), everything, webhook.ID)
		require.NoError(t, err)
		require.False(t, disabled.Active)
	})
}

func TestGoneDisablesTheWebhook(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		other := makeWebhook(t, store, models.DefaultOwnerID, "*")
		var delivery models.Delivery
		for _, d := range storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries {
			if d.WebhookID == webhook.ID {
				delivery = d
			}
		}
		clock.Advance(time.Minute)
		code := 410
		gone := models.Attempt{
			ID: typeid.New(typeid.KindAttempt, clock.Now()), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule,
			StatusCode: &code, ErrorClass: models.ErrorHTTPStatus, Error: "receiver answered 410", StartedAt: clock.Now(),
		}
		record(t, store, models.Outcome{
			Attempt: gone, Status: models.StatusPermanentlyFailed, RunID: "run", DisableWebhook: "the receiver answered 410 Gone",
		})
		got, err := store.Webhook(t.Context(), everything, webhook.ID)
		require.NoError(t, err)
		require.False(t, got.Active)
		require.Equal(t, "the receiver answered 410 Gone", got.DisabledReason)
		now := clock.Now()
		requireTime(t, &now, &got.UpdatedAt)
		untouched, err := store.Webhook(t.Context(), everything, other.ID)
		require.NoError(t, err)
		require.True(t, untouched.Active)
		require.Len(t, storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries, 1)

		// A webhook that its owner has paused is not given a reason.
		_, err = store.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
			w.DisabledReason = ""
			return nil
		})
		require.NoError(t, err)
		gone.ID = typeid.New(typeid.KindAttempt, clock.Now())
		record(t, store, models.Outcome{
			Attempt: gone, Status: models.StatusPermanentlyFailed, RunID: "run", DisableWebhook: "again",
		})
		got, err = store.Webhook(t.Context(), everything, webhook.ID)
		require.NoError(t, err)
		require.Empty(t, got.DisabledReason)
	})
}

func TestAttemptIDsAreRepeatable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	id := models.AttemptID("run", 1, at)
	require.NoError(t, typeid.Check(typeid.KindAttempt, id))
	require.Equal(t, id, models.AttemptID("run", 1, at))
	require.NotEqual(t, id, models.AttemptID("run", 2, at))
	require.NotEqual(t, id, models.AttemptID("other", 1, at))
	require.Less(t, models.AttemptID("other", 9, at.Add(-time.Millisecond)), id)
	require.NotEqual(t, models.AttemptID("run/1", 1, at), models.AttemptID("run", 11, at))
}

func TestErrorClassesAreAllDifferent(t *testing.T) {
	t.Parallel()
	seen := map[models.ErrorClass]bool{}
	for _, class := range storetest.ErrorClasses() {
		require.NotEmpty(t, class)
		require.False(t, seen[class], class)
		seen[class] = true
	}
	require.Len(t, seen, len(storetest.ErrorClasses()))
}

func record(t *testing.T, store *store.Store, outcome models.Outcome) models.Recorded {
	t.Helper()
	recorded, err := store.RecordAttempt(t.Context(), outcome)
	require.NoError(t, err)
	return recorded
}

func requireTime(t *testing.T, want, got *time.Time) {
	t.Helper()
	require.NotNil(t, got)
	require.True(t, want.Equal(*got), "want %s, got %s", want, got)
}
