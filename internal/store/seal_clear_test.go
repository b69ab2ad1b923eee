package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Rows that are found, and purged before it is their turn to be sealed, keep nothing else from being sealed.
func TestSealClearGoesOnWhenARowIsPurged(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhooks, sources := make([]models.Webhook, 2), make([]models.Source, 2)
		for i := range 2 {
			webhooks[i] = valued(t, store)
			sources[i] = models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "meta", EventPrefix: "meta", Active: true}
			require.NoError(t, store.CreateSource(t.Context(), &sources[i], []string{"provider's"}))
		}
		require.NoError(t, db.Exec(`UPDATE webhooks SET headers = '{"X-A":"1"}', sealed_headers = NULL`).Error)
		require.NoError(t, db.Exec(`UPDATE sources SET options = '{"verify_token":"token"}'`).Error)

		purge := func(table, id string) { require.NoError(t, db.Exec("DELETE FROM "+table+" WHERE id = ?", id).Error) }
		require.NoError(t, db.Callback().Query().After("gorm:query").Register("meanwhile", func(found *gorm.DB) {
			switch sql := found.Statement.SQL.String(); {
			case strings.Contains(sql, "sealed_headers IS NULL AND"):
				purge("webhooks", webhooks[0].ID)
			case strings.Contains(sql, "options LIKE"):
				purge("sources", sources[0].ID)
			}
		}))
		sealed, err := store.SealClear(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, sealed)
		contents := storetest.Dump(t, db)
		require.JSONEq(t, `{"X-A":""}`, string(contents["webhooks.headers"]))
		require.NotContains(t, string(contents["sources.options"]), "verify_token")
	})
}
