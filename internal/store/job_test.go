package store_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestJobLoadsEverythingAtOnce(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := models.Webhook{
			OwnerID: models.DefaultOwnerID, URL: "https://example.com/hook", Host: "example.com", Description: "d",
			Events: []string{"order.*", "user.*"}, Headers: models.Headers{"X-Team": "a"}, Active: true,
			RetrySchedule: models.RetrySchedule{time.Minute, time.Hour},
		}
		require.NoError(t, store.CreateWebhook(t.Context(), &webhook, storetest.Secret))
		current := rotate(t, store, &webhook, time.Hour)
		event := models.Event{Type: "order.paid", Data: []byte(`{"b":1.0, "a":2}`), IdempotencyKey: key(1)}
		published := storetest.Publish(t, store, event)
		delivery, err := store.Delivery(t.Context(), everything, published.Deliveries[0].ID)
		require.NoError(t, err)
		stored, err := store.Event(t.Context(), everything, published.Event.ID)
		require.NoError(t, err)

		// Exactly one statement: an attempt costs one round trip to the database before it is made.
		var statements atomic.Int32
		count := func(*gorm.DB) { statements.Add(1) }
		require.NoError(t, db.Callback().Query().Register("test:count", count))
		require.NoError(t, db.Callback().Row().Register("test:count", count))
		require.NoError(t, db.Callback().Raw().Register("test:count", count))
		attemptID := models.AttemptID("run", 1, clock.Now())
		job, err := store.Job(t.Context(), delivery.ID, attemptID)
		require.NoError(t, err)
		require.EqualValues(t, 1, statements.Load())
		require.Equal(t, models.Job{Delivery: delivery, Event: stored, Webhook: webhook}, job)

		secrets, err := store.SigningSecrets(job.Webhook, clock.Now())
		require.NoError(t, err)
		require.Equal(t, []string{current, storetest.Secret}, secrets, "the previous secret signs too in its grace")

		// The second time, the attempt is there.
		attempt := attempted(t, store, delivery, 1, models.StatusFailed)
		job, err = store.Job(t.Context(), delivery.ID, attempt.ID)
		require.NoError(t, err)
		requireTime(t, &attempt.StartedAt, &job.Recorded.StartedAt)
		job.Recorded.StartedAt = attempt.StartedAt
		require.Equal(t, attempt, job.Recorded)
		require.Equal(t, 1, job.Delivery.AttemptCount)
		require.Equal(t, models.StatusFailed, job.Delivery.Status)

		// An attempt of another delivery is not this one's.
		other := storetest.Publish(t, store, models.Event{Type: "order.paid", Data: []byte(`{}`)}).Deliveries[0]
		job, err = store.Job(t.Context(), other.ID, attempt.ID)
		require.NoError(t, err)
		require.Empty(t, job.Recorded.ID)
	})
}

func TestJobOfAnUnknownDelivery(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		_, err := store.Job(t.Context(), typeid.New(typeid.KindDelivery, store.Now()), "att_x")
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

func TestCancelledContextEndsACall(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Publish(ctx, models.Event{Type: "a", Data: []byte(`{}`)})
		require.ErrorIs(t, err, context.Canceled)
		require.False(t, store.IsUnavailable(err))
	})
}
