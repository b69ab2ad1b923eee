package gormstore_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/receiver/gormstore"
)

// claimBody is claim for an event with a body.
func claimBody(eventID, bodyHash, token string, now time.Time) receiver.Claim {
	c := claim(eventID, token, now)
	c.BodyHash = bodyHash
	return c
}

func requireClaimed(t testing.TB, store receiver.Store, c receiver.Claim, conflict bool) {
	t.Helper()
	state, err := store.Claim(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, receiver.StatusClaimed, state.Status)
	require.True(t, c.Until.Equal(state.Until))
	require.Equal(t, conflict, state.Conflict)
}

func TestOneIDWithSeveralBodies(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		ctx := t.Context()
		first, second, third := claimBody("evt_1", "a", "1", start), claimBody("evt_1", "b", "2", start), claimBody("evt_1", "c", "3", start)
		requireClaimed(t, store, first, false)
		requireClaimed(t, store, second, true)
		requireState(t, store, second, receiver.StatusInProgress, second.Until)
		requireClaimed(t, store, claimBody("evt_2", "b", "2", start), false)
		require.NoError(t, store.Complete(ctx, first, start.Add(week)))
		require.NoError(t, store.Release(ctx, second))

		requireState(t, store, first, receiver.StatusDone, start.Add(week))
		requireClaimed(t, store, second, true)
		require.NoError(t, store.Complete(ctx, second, start.Add(2*week)))
		requireState(t, store, first, receiver.StatusDone, start.Add(week))
		requireState(t, store, second, receiver.StatusDone, start.Add(2*week))

		requireClaimed(t, store, third, true)
		require.NoError(t, store.Release(ctx, third))
		later := claimBody("evt_1", "c", "4", start.Add(week))
		requireClaimed(t, store, later, true)
		require.NoError(t, store.Release(ctx, later))
		requireClaimed(t, store, claimBody("evt_1", "c", "5", start.Add(2*week)), false)
	})
}

// TestWhatHasNoHashCountsForEveryBody is about what was recorded before there were
// hashes.
func TestWhatHasNoHashCountsForEveryBody(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		old := claim("evt_1", "old", start)
		requireClaimed(t, store, old, false)
		next := claimBody("evt_1", "a", "new", start)
		requireState(t, store, next, receiver.StatusInProgress, old.Until)
		require.NoError(t, store.Complete(t.Context(), old, start.Add(week)))
		requireState(t, store, next, receiver.StatusDone, start.Add(week))
		again := claimBody("evt_1", "a", "new", start.Add(week))
		requireClaimed(t, store, again, false)
		requireClaimed(t, store, claimBody("evt_1", "b", "new", start.Add(week)), true)
	})
}

// TestConflictsAtOnce claims one ID with several bodies at the same moment: all get
// theirs, and all but one at most hear of the others.
func TestConflictsAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		const bodies = 10
		var conflicts [bodies]bool
		race(t, bodies, func(ctx context.Context, i int) error {
			state, err := store.Claim(ctx, claimBody("evt_1", strconv.Itoa(i), "t", start))
			if err == nil && state.Status != receiver.StatusClaimed {
				t.Error("not claimed")
			}
			conflicts[i] = state.Conflict
			return err
		})
		alone := 0
		for _, conflict := range conflicts {
			if !conflict {
				alone++
			}
		}
		require.LessOrEqual(t, alone, 1)
	})
}

// oldTable is what Migrate made before there were hashes, on SQLite and on
// PostgreSQL.
const oldTable = `
CREATE TABLE postrider_receiver_events (
	endpoint text NOT NULL, event_id text NOT NULL, token text NOT NULL, done boolean NOT NULL, expires_at bigint NOT NULL,
	PRIMARY KEY (endpoint, event_id)
)`

func TestMigrateAddsHashes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db := connect(t, url)
		require.NoError(t, db.Exec(oldTable).Error)
		require.NoError(t, db.Exec("CREATE INDEX postrider_receiver_events_expiry ON postrider_receiver_events (expires_at)").Error)
		insert := "INSERT INTO postrider_receiver_events (endpoint, event_id, token, done, expires_at) VALUES ('shop', ?, 'old', ?, ?)"
		until := start.Add(time.Hour)
		require.NoError(t, db.Exec(insert, "done", true, until.UnixMilli()).Error)
		require.NoError(t, db.Exec(insert, "claimed", false, until.UnixMilli()).Error)

		race(t, 8, func(ctx context.Context, _ int) error { return gormstore.Migrate(db.WithContext(ctx)) })
		require.Equal(t, 2, rows(t, db))
		require.True(t, db.Migrator().HasIndex(table, "postrider_receiver_events_expiry"))
		store := newStore(t, url)
		requireState(t, store, claimBody("done", "a", "new", start), receiver.StatusDone, until)
		requireState(t, store, claimBody("claimed", "a", "new", start), receiver.StatusInProgress, until)
		requireClaimed(t, store, claimBody("new", "a", "1", start), false)
		requireClaimed(t, store, claimBody("new", "b", "1", start), true)
		deleted, err := store.Purge(t.Context(), until, 100)
		require.NoError(t, err)
		require.EqualValues(t, 4, deleted)
	})
}
