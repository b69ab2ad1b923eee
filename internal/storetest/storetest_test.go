package storetest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestEachHasTheNewestSchemaAndADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first", "second"} { // the second would have the owners of the first
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				pool, err := db.DB()
				require.NoError(t, err)
				pending, err := migrations.Pending(t.Context(), pool, db.Name())
				require.NoError(t, err)
				require.False(t, pending)

				s := storetest.New(t, db, store.Config{})
				storetest.Owner(t, s, "acme")
				webhook := storetest.Webhook(t, s, func(webhook *models.Webhook) { webhook.Description = "changed" })
				require.Equal(t, "changed", webhook.Description)
				require.Len(t, storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries, 1)
				owners, _, err := s.Owners(t.Context(), models.Page{})
				require.NoError(t, err)
				require.Len(t, owners, 2, "the default owner and this one")
			})
		})
	}
}

func TestDatabaseBringsAnyURLToTheNewestSchema(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		pool, err := storetest.Database(t, url).DB()
		require.NoError(t, err)
		require.NoError(t, pool.PingContext(t.Context()))
	})
}
