package gormstore_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/receiver"
)

const week = 7 * 24 * time.Hour

func TestClaimsLast(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		minute := start.Add(time.Minute)
		requireState(t, store, claim("evt_1", "a", start), receiver.StatusClaimed, minute)
		requireState(t, store, claim("evt_1", "b", start), receiver.StatusInProgress, minute)
		requireState(t, store, claim("evt_1", "b", minute.Add(-time.Millisecond)), receiver.StatusInProgress, minute)
		requireState(t, store, claim("evt_2", "b", start), receiver.StatusClaimed, minute)
		other := claim("evt_1", "b", start)
		other.Endpoint = "till"
		requireState(t, store, other, receiver.StatusClaimed, minute)

		requireState(t, store, claim("evt_1", "b", minute), receiver.StatusClaimed, minute.Add(time.Minute))
		requireState(t, store, claim("evt_1", "c", minute), receiver.StatusInProgress, minute.Add(time.Minute))
	})
}

func TestDoneLasts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		first := claim("evt_1", "a", start)
		requireState(t, store, first, receiver.StatusClaimed, first.Until)
		require.NoError(t, store.Complete(t.Context(), first, start.Add(week)))

		requireState(t, store, claim("evt_1", "b", start), receiver.StatusDone, start.Add(week))
		requireState(t, store, claim("evt_1", "b", start.Add(week-time.Millisecond)), receiver.StatusDone, start.Add(week))
		again := claim("evt_1", "b", start.Add(week))
		requireState(t, store, again, receiver.StatusClaimed, again.Until)
		requireState(t, store, claim("evt_1", "c", start.Add(week)), receiver.StatusInProgress, again.Until)
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		ctx := t.Context()
		first, second := claim("evt_1", "a", start), claim("evt_1", "b", start)
		require.NoError(t, store.Release(ctx, first), "nothing to release is no error")
		requireState(t, store, first, receiver.StatusClaimed, first.Until)
		require.NoError(t, store.Release(ctx, second))
		requireState(t, store, second, receiver.StatusInProgress, first.Until)
		require.NoError(t, store.Release(ctx, first))
		requireState(t, store, second, receiver.StatusClaimed, second.Until)

		// The first comes too late for all of this.
		require.NoError(t, store.Release(ctx, first))
		requireState(t, store, first, receiver.StatusInProgress, second.Until)
		require.NoError(t, store.Complete(ctx, second, start.Add(week)))
		for _, c := range []receiver.Claim{first, second} {
			require.NoError(t, store.Release(ctx, c))
			requireState(t, store, c, receiver.StatusDone, start.Add(week))
		}
	})
}

func TestCompleteAlwaysCounts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		// Overtaken by another claim, and with no claim left at all.
		first, second := claim("evt_1", "a", start), claim("evt_1", "b", start.Add(time.Minute))
		requireState(t, store, first, receiver.StatusClaimed, first.Until)
		requireState(t, store, second, receiver.StatusClaimed, second.Until)
		require.NoError(t, store.Complete(t.Context(), first, start.Add(week)))
		require.NoError(t, store.Release(t.Context(), second))
		requireState(t, store, second, receiver.StatusDone, start.Add(week))

		gone := claim("evt_2", "a", start)
		require.NoError(t, store.Complete(t.Context(), gone, start.Add(week)))
		requireState(t, store, gone, receiver.StatusDone, start.Add(week))
	})
}

func TestTextsAreKeptAsTheyAre(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, store receiver.Store) {
		for i, id := range []string{"evt_1", "EVT_1", "evt_1 ", "é", "e\u0301", "'; --", "?", "$1", "@id", "\\", "%", "✓"} {
			c := claim(id, "a", start)
			requireState(t, store, c, receiver.StatusClaimed, c.Until)
			require.NoError(t, store.Complete(t.Context(), c, start.Add(week).Add(time.Duration(i)*time.Second)))
			requireState(t, store, c, receiver.StatusDone, start.Add(week).Add(time.Duration(i)*time.Second))
		}
	})
}

// TestOneOfManyClaimsWins lets claims race for new events, for events whose claim
// has run out and for events that are released all the time.
func TestOneOfManyClaimsWins(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		stores := []receiver.Store{newStore(t, url), newStore(t, url)}
		const events, rivals = 5, 10
		for round := range 2 { // in the second, the claims of the first have run out
			now := start.Add(time.Duration(round) * time.Hour)
			var won [events]atomic.Int32
			race(t, events*rivals, func(ctx context.Context, i int) error {
				state, err := stores[i%2].Claim(ctx, claim(strconv.Itoa(i%events), strconv.Itoa(i), now))
				if err == nil && state.Status == receiver.StatusClaimed {
					won[i%events].Add(1)
				}
				return err
			})
			for i := range won {
				require.Equal(t, int32(1), won[i].Load())
			}
		}

		var holders atomic.Int32
		race(t, 8, func(ctx context.Context, i int) error {
			for n := range 10 {
				c := claim("contended", strconv.Itoa(i*100+n), start)
				state, err := stores[i%2].Claim(ctx, c)
				if err != nil {
					return err
				}
				if state.Status != receiver.StatusClaimed {
					continue
				}
				if holders.Add(1) != 1 {
					t.Error("two hold one event")
				}
				holders.Add(-1)
				if err := stores[i%2].Release(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// race runs the function so many times at once.
func race(t *testing.T, n int, f func(ctx context.Context, i int) error) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			errs[i] = f(t.Context(), i)
		})
	}
	close(begin)
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}
