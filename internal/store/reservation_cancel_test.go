package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Once the last delivery that waits is cancelled, nobody waits behind the moments that were reserved for them, and a
// retry that holds one has to reserve anew.
func TestCancelledDeliveriesHoldNoMoments(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		const limit float64 = 0.01
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		perSecond := limit
		change(t, store, webhook.ID, func(w *models.Webhook) { w.RateLimit = &perSecond })
		other := makeWebhook(t, store, models.DefaultOwnerID, "other")
		reserve := func(webhookID string, held *models.Reservation) models.Reservation {
			reservation, err := store.ReserveRequest(t.Context(), webhookID, limit, held)
			require.NoError(t, err)
			return reservation
		}
		var waiting []models.Delivery
		var last models.Reservation
		for range 5 {
			waiting = append(waiting, storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0])
			last = reserve(webhook.ID, nil)
			reserve(other.ID, nil)
		}
		retry := reserve(webhook.ID, nil)
		require.Equal(t, 500*time.Second, retry.At.Sub(clock.Now()))
		for _, delivery := range waiting[1:] {
			require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "x"))
		}
		require.Equal(t, last.At, reserve(webhook.ID, &last).At, "the first still waits: what is reserved holds")
		require.Equal(t, 600*time.Second, reserve(webhook.ID, nil).At.Sub(clock.Now()))

		clock.Advance(130 * time.Second) // two moments have passed, and may have been used
		require.NoError(t, store.CancelDelivery(t.Context(), waiting[0].ID, models.CauseRequest, "x"))
		require.Equal(t, 70*time.Second, reserve(webhook.ID, nil).At.Sub(clock.Now()), "a whole gap behind the last that may have been used")
		require.Equal(t, 170*time.Second, reserve(webhook.ID, &retry).At.Sub(clock.Now()))
		require.Equal(t, 370*time.Second, reserve(other.ID, nil).At.Sub(clock.Now()), "other webhooks keep theirs")
	})
}

// What is to be delivered later holds no moment, and does not keep those from being freed that cancelled deliveries had. When
// its time has come it may hold one.
func TestWhatComesLaterHoldsNoMoments(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		const limit float64 = 0.01
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		perSecond := limit
		change(t, store, webhook.ID, func(w *models.Webhook) { w.RateLimit = &perSecond })
		publish := func(delay time.Duration) models.Delivery {
			return storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), Delay: &delay}).Deliveries[0]
		}
		// next cancels a delivery behind five moments, and is how long the next one has to wait.
		next := func(delivery models.Delivery) time.Duration {
			for range 5 {
				_, err := store.ReserveRequest(t.Context(), webhook.ID, limit, nil)
				require.NoError(t, err)
			}
			require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "x"))
			reservation, err := store.ReserveRequest(t.Context(), webhook.ID, limit, nil)
			require.NoError(t, err)
			return reservation.At.Sub(clock.Now())
		}
		atOnce, soon, far := publish(0), publish(time.Hour), publish(24*time.Hour)
		require.Less(t, next(atOnce), 101*time.Second)
		clock.Advance(2 * time.Hour)
		due := publish(0)
		require.Equal(t, 500*time.Second, next(due), "the time of the other has come")
		clock.Advance(2 * time.Hour)
		require.Less(t, next(soon), 101*time.Second)
		require.NoError(t, store.CancelDelivery(t.Context(), far.ID, models.CauseRequest, "x"))
	})
}
