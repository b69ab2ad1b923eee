package gormstore_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/utils/tests"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/receiver/gormstore"
)

const table = "postrider_receiver_events"

func TestMigrate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		const processes = 8
		dbs := make([]*gorm.DB, processes)
		for i := range dbs {
			dbs[i] = connect(t, url)
		}
		race(t, processes, func(ctx context.Context, i int) error { return gormstore.Migrate(dbs[i].WithContext(ctx)) })
		require.True(t, dbs[0].Migrator().HasTable(table))
		require.True(t, dbs[0].Migrator().HasIndex(table, "postrider_receiver_events_expiry"))

		store, err := gormstore.New(dbs[0])
		require.NoError(t, err)
		c := claim("evt_1", "a", start)
		requireState(t, store, c, receiver.StatusClaimed, c.Until)
		require.NoError(t, gormstore.Migrate(dbs[1]))
		requireState(t, store, c, receiver.StatusInProgress, c.Until)
	})
}

func TestOtherDatabases(t *testing.T) {
	t.Parallel()
	db, err := gorm.Open(tests.DummyDialector{})
	require.NoError(t, err)
	require.ErrorIs(t, gormstore.Migrate(db), gormstore.ErrUnsupported)
	_, err = gormstore.New(db)
	require.ErrorIs(t, err, gormstore.ErrUnsupported)
}

func rows(t testing.TB, db *gorm.DB) int {
	t.Helper()
	var n int64
	require.NoError(t, db.Table(table).Count(&n).Error)
	return int(n)
}

func TestPurge(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db := connect(t, url)
		store := newStore(t, url)
		for i := range 10 {
			c := claim(strconv.Itoa(i), "a", start)
			requireState(t, store, c, receiver.StatusClaimed, c.Until)
			if i > 0 { // the first is never completed
				require.NoError(t, store.Complete(t.Context(), c, start.Add(time.Duration(i)*time.Hour)))
			}
		}
		purge := func(now time.Time, limit int) int64 {
			n, err := store.Purge(t.Context(), now, limit)
			require.NoError(t, err)
			return n
		}
		require.Zero(t, purge(start.Add(time.Minute-time.Millisecond), 100))
		require.EqualValues(t, 1, purge(start.Add(time.Minute), 100))
		require.EqualValues(t, 3, purge(start.Add(5*time.Hour), 3), "the limit")
		requireState(t, store, claim("4", "b", start), receiver.StatusDone, start.Add(4*time.Hour))
		require.EqualValues(t, 2, purge(start.Add(5*time.Hour), 3))
		requireState(t, store, claim("6", "b", start), receiver.StatusDone, start.Add(6*time.Hour))
		require.Equal(t, 4, rows(t, db))
	})
}

// TestTableStaysSmall handles events over many hours with a memory of one, and
// calls no Purge.
func TestTableStaysSmall(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db := connect(t, url)
		store := newStore(t, url)
		const perHour, hours = 100, 10
		for i := range perHour * hours {
			now := start.Add(time.Duration(i) * time.Hour / perHour)
			c := claim(strconv.Itoa(i), "a", now)
			requireState(t, store, c, receiver.StatusClaimed, c.Until)
			require.NoError(t, store.Complete(t.Context(), c, now.Add(time.Hour)))
		}
		require.LessOrEqual(t, rows(t, db), 2*perHour)
	})
}

// TestPurgeSparesNewClaims claims expired events anew while they are purged.
func TestPurgeSparesNewClaims(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		const events = 40
		stores := []*gormstore.Store{newStore(t, url), newStore(t, url)}
		for i := range events {
			require.NoError(t, stores[0].Complete(t.Context(), claim(strconv.Itoa(i), "a", start), start.Add(time.Hour)))
		}
		later := start.Add(2 * time.Hour)
		race(t, events+8, func(ctx context.Context, i int) error {
			if i >= events {
				_, err := stores[i%2].Purge(ctx, later, events)
				return err
			}
			_, err := stores[i%2].Claim(ctx, claim(strconv.Itoa(i), "b", later))
			return err
		})
		for i := range events {
			requireState(t, stores[0], claim(strconv.Itoa(i), "c", later), receiver.StatusInProgress, later.Add(time.Minute))
		}
	})
}

// TestPurgesDoNotWait purges while another transaction holds one of the rows, as
// another purge would.
func TestPurgesDoNotWait(t *testing.T) {
	t.Parallel()
	url := testdb.Postgres(t)
	store, db := newStore(t, url), connect(t, url)
	for i := range 5 {
		require.NoError(t, store.Complete(t.Context(), claim(strconv.Itoa(i), "a", start), start.Add(time.Hour)))
	}
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SELECT 1 FROM " + table + " WHERE event_id = '2' FOR UPDATE").Error; err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		deleted, err := store.Purge(ctx, start.Add(2*time.Hour), 100)
		require.NoError(t, err)
		require.EqualValues(t, 4, deleted)
		return nil
	}))
	require.Equal(t, 1, rows(t, db))
}
