package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// What is to be delivered later is the sweep's until its workflow is known to run, and again when it is long overdue.
func TestScheduledDeliveries(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		clock := storetest.NewClock()
		s := storetest.New(t, db, store.Config{Now: clock.Now, Lease: time.Minute})
		makeWebhook(t, s, models.DefaultOwnerID, "*")
		storetest.Webhook(t, s, func(w *models.Webhook) { w.Filter = "true" })
		delay, past := 24*time.Hour, clock.Now().Add(-time.Hour)
		due := clock.Now().Add(delay)
		scheduled := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`1`), DeliverAt: &due})
		for _, deliveries := range [][]models.Delivery{
			scheduled.Deliveries,
			storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`1`), Delay: &delay}).Deliveries,
			publishAll(t, s, []models.Event{{Type: "a", Data: []byte(`1`), Delay: &delay}})[0].Published.Deliveries,
		} {
			require.Len(t, deliveries, 2)
			for _, delivery := range deliveries {
				requireTime(t, &due, delivery.NextAttemptAt)
				stored, err := s.Delivery(t.Context(), everything, delivery.ID)
				require.NoError(t, err)
				require.Equal(t, models.StatusPending, stored.Status)
				requireTime(t, &due, stored.NextAttemptAt)
				require.Nil(t, stored.LeasedUntil, "nobody attempts it now")
				require.Equal(t, delay, stored.StartsIn(clock.Now()))
			}
		}
		atOnce := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`1`), DeliverAt: &past})
		require.Nil(t, atOnce.Event.Due())
		for _, delivery := range atOnce.Deliveries {
			require.Nil(t, delivery.NextAttemptAt)
		}

		pending := func() []models.Delivery {
			deliveries, err := s.PendingDeliveries(t.Context(), clock.Now(), "", 100)
			require.NoError(t, err)
			return deliveries
		}
		require.Len(t, pending(), 6, "all but those that this process attempts")
		require.NoError(t, s.LeaseScheduled(t.Context(), pending()))
		require.Empty(t, pending())
		for _, delivery := range atOnce.Deliveries {
			require.NoError(t, s.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "for a test"))
		}
		clock.Advance(delay + timing.Postpone - time.Second)
		require.Empty(t, pending())
		clock.Advance(2 * time.Second)
		require.Len(t, pending(), 6, "overdue")
		page, err := s.PendingDeliveries(t.Context(), clock.Now(), "", 4)
		require.NoError(t, err)
		rest, err := s.PendingDeliveries(t.Context(), clock.Now(), page[3].ID, 4)
		require.NoError(t, err)
		require.Len(t, append(page, rest...), 6)
	})
}

func TestTheSameRequestForLater(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		at, delay, other := clock.Now().Add(time.Hour), time.Hour, 2*time.Hour
		for i, event := range []models.Event{{DeliverAt: &at}, {Delay: &delay}, {}} {
			event.Type, event.Data, event.IdempotencyKey = "a", []byte(`1`), key(i)
			first := storetest.Publish(t, s, event)
			clock.Advance(time.Minute)
			require.True(t, storetest.Publish(t, s, event).Duplicate)
			event.DeliverAt, event.Delay = nil, &other
			_, err := s.Publish(t.Context(), event)
			require.ErrorIs(t, err, models.ErrIdempotencyConflict)
			clock.Set(first.Event.CreatedAt)
		}
	})
}
