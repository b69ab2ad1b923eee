package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// BenchmarkAPIKeyByToken is what every request pays for a key that can be revoked at any moment.
func BenchmarkAPIKeyByToken(b *testing.B) {
	for _, database := range []struct {
		name string
		url  func(testing.TB) string
	}{{"postgres", testdb.Postgres}, {"sqlite", testdb.SQLite}} {
		b.Run(database.name, func(b *testing.B) {
			store := openStore(b, database.url(b))
			var token string
			for range 1000 {
				var err error
				_, token, err = store.CreateAPIKey(b.Context(), models.DefaultOwnerID)
				require.NoError(b, err)
			}
			for b.Loop() {
				_, err := store.APIKeyByToken(b.Context(), token)
				require.NoError(b, err)
			}
		})
	}
}
