package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// What an owner has stored is all of its own and nothing of others, also when it is more than is summed at once.
func TestStoredBytes(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store := storetest.New(t, db, store.Config{})
		owner, other := storetest.Owner(t, store, "acme"), storetest.Owner(t, store, "other")
		source := makeSource(t, store, owner.ID)
		const many = 10_001
		events := make([]models.Event, many)
		for i := range events {
			now := store.Now()
			events[i] = models.Event{ID: typeid.New(typeid.KindEvent, now), OwnerID: owner.ID, Type: "a", Data: []byte(`{"n":1}`), CreatedAt: now}
		}
		require.NoError(t, db.CreateInBatches(events, 500).Error)
		storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{"n":2}`), OwnerID: other.ID})
		storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{"n":3}`), Broadcast: true})
		_, err := store.StoreInbound(t.Context(), &models.InboundEvent{SourceID: source.ID, OwnerID: owner.ID, ProviderID: "1", Body: []byte("é")})
		require.NoError(t, err)
		for id, want := range map[string]int64{owner.ID: many*7 + 2, other.ID: 7, "own_none": 0} {
			stored, err := store.StoredBytes(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, want, stored)
		}
	})
}
