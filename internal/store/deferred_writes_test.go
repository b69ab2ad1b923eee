package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

func TestDeferredWritesOfTheUseOfKeysOnceAMinute(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		deferred := store.NewDeferredWrites(s, slog.New(slog.DiscardHandler))
		key, token, err := s.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		written := countWrites(t, db)
		first := clock.Now()
		for _, step := range []struct{ advance, want time.Duration }{
			{0, 0}, {time.Second, 0}, {58 * time.Second, 0}, {time.Second, time.Minute}, {time.Second, time.Minute},
		} {
			clock.Advance(step.advance)
			for range 10 {
				deferred.KeyUsed(key.ID)
			}
			require.NoError(t, deferred.Flush(t.Context()))
			got, err := s.APIKeyByHash(t.Context(), models.HashAPIKey(token))
			require.NoError(t, err)
			require.True(t, first.Add(step.want).Equal(*got.LastUsedAt), "%s", got.LastUsedAt)
		}
		require.Equal(t, 2, *written)

		clock.Advance(time.Hour)
		require.NoError(t, deferred.Flush(t.Context()))
		require.Equal(t, 2, *written, "a key that is not used is not written")
	})
}

func TestDeferredWritesBoundTheWritesOfAFloodOfRejections(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		deferred := store.NewDeferredWrites(s, slog.New(slog.DiscardHandler))
		sources := [2]models.Source{}
		for i := range sources {
			sources[i] = models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
			require.NoError(t, s.CreateSource(t.Context(), &sources[i], []string{"s"}))
		}
		written := countWrites(t, db)
		const flood = 10_000
		for i := range flood {
			clock.Advance(time.Millisecond)
			require.NoError(t, deferred.RecordRejection(t.Context(), sources[0].ID, fmt.Sprint("reason ", i), "192.0.2.1"))
		}
		require.NoError(t, deferred.RecordRejection(t.Context(), sources[1].ID, "another", "192.0.2.2"))
		require.Zero(t, *written, "no request writes")
		require.NoError(t, deferred.Flush(t.Context()))
		require.NoError(t, deferred.Flush(t.Context()), "of nothing")
		require.Equal(t, 2*2, *written, "a count and an insert for each source")

		source, err := s.Source(t.Context(), everything, sources[0].ID)
		require.NoError(t, err)
		require.EqualValues(t, flood, source.Rejected)
		rejections, err := s.Rejections(t.Context(), sources[0].ID)
		require.NoError(t, err)
		require.Len(t, rejections, 50)
		require.Equal(t, fmt.Sprint("reason ", flood-1), rejections[0].Reason)
		require.Equal(t, fmt.Sprint("reason ", flood-50), rejections[49].Reason)
		rejections, err = s.Rejections(t.Context(), sources[1].ID)
		require.NoError(t, err)
		require.Len(t, rejections, 1)
	})
}

func TestDeferredWritesKeepWhatCannotBeWritten(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		deferred := store.NewDeferredWrites(s, slog.New(slog.DiscardHandler))
		key, token, err := s.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
		require.NoError(t, err)
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
		require.NoError(t, s.CreateSource(t.Context(), &source, []string{"s"}))
		away, stop := context.WithCancel(t.Context())
		stop()
		deferred.KeyUsed(key.ID)
		for i := range 40 {
			clock.Advance(time.Millisecond)
			require.NoError(t, deferred.RecordRejection(t.Context(), source.ID, fmt.Sprint("before ", i), ""))
		}
		require.Error(t, deferred.Flush(away))
		for i := range 20 {
			clock.Advance(time.Millisecond)
			require.NoError(t, deferred.RecordRejection(t.Context(), source.ID, fmt.Sprint("after ", i), ""))
		}
		require.NoError(t, deferred.Flush(t.Context()))

		got, err := s.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
		require.NotNil(t, got.LastUsedAt)
		source, err = s.Source(t.Context(), everything, source.ID)
		require.NoError(t, err)
		require.EqualValues(t, 60, source.Rejected)
		rejections, err := s.Rejections(t.Context(), source.ID)
		require.NoError(t, err)
		require.Len(t, rejections, 50)
		require.Equal(t, "after 19", rejections[0].Reason)
		require.Equal(t, "before 10", rejections[49].Reason)
	})
}

func TestDeferredWritesAreMadeAtTheEnd(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		var log bytes.Buffer
		deferred := store.NewDeferredWrites(s, slog.New(slog.NewTextHandler(&log, nil)))
		key, token, err := s.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
		require.NoError(t, err)
		deferred.KeyUsed(key.ID)
		ended, end := context.WithCancel(t.Context())
		end()
		deferred.Run(ended)
		got, err := s.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
		require.NotNil(t, got.LastUsedAt)
		require.Empty(t, log.String())
	})
}

// countWrites counts the inserts and updates on a database from now on.
func countWrites(t *testing.T, db *gorm.DB) *int {
	t.Helper()
	count := new(int)
	counted := func(*gorm.DB) { *count++ }
	require.NoError(t, db.Callback().Create().After("gorm:create").Register("count", counted))
	require.NoError(t, db.Callback().Update().After("gorm:update").Register("count", counted))
	return count
}
