package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestFinalFailure(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner := storetest.Owner(t, store, "acme")
		webhook := makeWebhook(t, store, owner.ID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), OwnerID: owner.ID}).Deliveries[0]
		_, err := store.FinalFailure(t.Context(), delivery.ID)
		require.ErrorIs(t, err, models.ErrNotFound, "there was no attempt")

		only := attempted(t, store, delivery, 1, models.StatusFailed)
		failure, err := store.FinalFailure(t.Context(), delivery.ID)
		require.NoError(t, err)
		require.Equal(t, only.ID, failure.First.ID)
		require.Equal(t, failure.First, failure.Last)

		for n := 2; n <= 3; n++ {
			clock.Advance(time.Minute)
			attempted(t, store, delivery, n, models.StatusPermanentlyFailed)
		}
		require.NoError(t, store.DeleteWebhook(t.Context(), everything, webhook.ID))
		failure, err = store.FinalFailure(t.Context(), delivery.ID)
		require.NoError(t, err, "a deleted webhook's failure is told as well")
		require.Equal(t, delivery.ID, failure.Delivery.ID)
		require.Equal(t, models.StatusPermanentlyFailed, failure.Delivery.Status)
		require.Equal(t, 3, failure.Delivery.AttemptCount)
		require.Equal(t, webhook.ID, failure.Webhook.ID)
		require.Equal(t, webhook.Host, failure.Webhook.Host)
		require.Equal(t, owner.Email, failure.Owner.Email)
		require.Equal(t, 1, failure.First.Number)
		require.Equal(t, 3, failure.Last.Number)

		require.NoError(t, db.Exec("DELETE FROM owners WHERE id = ?", owner.ID).Error)
		_, err = store.FinalFailure(t.Context(), delivery.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}
