package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// BenchmarkAPIKeyByHash is what every request pays for a key that can be revoked at any moment.
func BenchmarkAPIKeyByHash(b *testing.B) {
	for _, database := range []struct {
		name string
		open func(testing.TB) *gorm.DB
	}{{"postgres", storetest.Postgres}, {"sqlite", storetest.SQLite}} {
		b.Run(database.name, func(b *testing.B) {
			s := storetest.New(b, database.open(b), store.Config{})
			var token string
			for range 1000 {
				var err error
				_, token, err = s.CreateAPIKey(b.Context(), models.DefaultOwnerID, models.RoleFull, nil)
				require.NoError(b, err)
			}
			for b.Loop() {
				_, err := s.APIKeyByHash(b.Context(), models.HashAPIKey(token))
				require.NoError(b, err)
			}
		})
	}
}
