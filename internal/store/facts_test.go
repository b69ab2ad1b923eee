package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestFacts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		for i := range 4 {
			session := models.Session{Role: models.RoleFull, TokenHash: []byte{byte(i)}, ExpiresAt: clock.Now().Add(time.Duration(i) * time.Hour)}
			require.NoError(t, s.CreateSession(t.Context(), &session))
			if i == 3 {
				require.NoError(t, s.EndSession(t.Context(), session.ID))
			}
		}
		facts, err := s.Facts(t.Context())
		require.NoError(t, err)
		require.Equal(t, db.Name(), facts.Kind)
		require.NotEmpty(t, facts.Version)
		require.Greater(t, facts.Bytes, int64(100_000))
		require.GreaterOrEqual(t, facts.Schema, int64(24))
		require.EqualValues(t, 2, facts.Sessions)
		require.Nil(t, facts.CountedUntil)
		require.Positive(t, facts.MostOpen)
		_, err = s.CountHour(t.Context())
		require.NoError(t, err)
		clock.Advance(2 * time.Hour)
		_, err = s.CountHour(t.Context())
		require.NoError(t, err)
		facts, err = s.Facts(t.Context())
		require.NoError(t, err)
		require.NotNil(t, facts.CountedUntil)
	})
}
