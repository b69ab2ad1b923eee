package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// A process goes on while the migration of the next version adds columns.
func TestAColumnMayComeWhileTheProgramRuns(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		pool, err := db.DB()
		require.NoError(t, err)
		pool.SetMaxOpenConns(1) // what was prepared is asked again
		store, _ := clockedStore(t, db)
		_, token, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
		require.NoError(t, db.Exec("ALTER TABLE api_keys ADD COLUMN of_the_next_version text").Error)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
	})
}
