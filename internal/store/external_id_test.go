package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Processes that put the same owner at the same time make one, while it is deleted again and again.
func TestPutOwnerMakesOne(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		one, two := storetest.New(t, db, store.Config{}), storetest.New(t, db, store.Config{})
		for range 5 {
			var made [6]bool
			var group sync.WaitGroup
			for i := range made {
				group.Go(func() {
					through := one
					if i%2 == 1 {
						through = two
					}
					owner, isNew, err := through.PutOwner(t.Context(), "acme", func(o *models.Owner) error { o.Name = "acme"; return nil })
					if err != nil || owner.ExternalID == nil || *owner.ExternalID != "acme" || !owner.Active {
						t.Error(owner, err)
					}
					made[i] = isNew
				})
			}
			group.Wait()
			count := 0
			for _, isNew := range made {
				if isNew {
					count++
				}
			}
			require.Equal(t, 1, count)
			owner, err := one.OwnerNamed(t.Context(), "acme")
			require.NoError(t, err)
			gone, err := one.DeleteOwner(t.Context(), owner.ID)
			require.NoError(t, err)
			require.Nil(t, gone.ExternalID)
			_, err = one.OwnerNamed(t.Context(), "acme")
			require.ErrorIs(t, err, models.ErrNotFound)
		}
		wrong := errors.New("wrong field")
		_, _, err := one.PutOwner(t.Context(), "acme", func(*models.Owner) error { return wrong })
		require.Equal(t, wrong, err, "unchanged")
	})
}

// What a process of the version before deletes keeps its name in its row: that name is free all the same.
func TestNamesOfWhatAnOlderVersionDeletes(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		name := "same"
		for range 2 {
			owner := models.Owner{Name: "a", ExternalID: &name}
			require.NoError(t, s.CreateOwner(t.Context(), &owner))
			webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "https://example.com", Events: []string{"*"}, ExternalID: &name, Active: true}
			require.NoError(t, s.CreateWebhook(t.Context(), &webhook, "whsec_x"))
			webhook.ID = ""
			require.ErrorIs(t, s.CreateWebhook(t.Context(), &webhook, "whsec_x"), models.ErrExternalIDTaken)
			for _, table := range []string{"owners", "webhooks"} {
				require.NoError(t, db.Table(table).Where("external_id IS NOT NULL").Update("deleted_at", time.Now()).Error)
			}
		}
	})
}
