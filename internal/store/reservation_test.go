package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
)

// Processes that ask at the same time, each with connections of its own, get moments that lie as far apart as
// the limit wants.
func TestReserveRequestsAtOnce(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		const processes, each, perSecond = 3, 20, 5
		clock := storetest.NewClock()
		var all sync.WaitGroup
		reservations := make([][]time.Time, processes)
		errs := make([]error, processes)
		for n := range processes {
			store := storetest.New(t, db, store.Config{Now: clock.Now})
			all.Go(func() {
				for range each {
					reservation, err := store.ReserveRequest(t.Context(), "wh_a", perSecond, nil)
					if err != nil {
						errs[n] = err
						return
					}
					reservations[n] = append(reservations[n], reservation.At)
				}
			})
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		given := slices.Concat(reservations...)
		slices.SortFunc(given, time.Time.Compare)
		for n, reservation := range given {
			require.Equal(t, clock.Now().Add(time.Duration(n)*time.Second/perSecond), reservation)
		}
	})
}

// What nobody took is not saved up, and one webhook's moments are not another's.
func TestReserveRequestAfterAWhile(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		reserve := func(webhookID string, perSecond float64) time.Duration {
			reservation, err := store.ReserveRequest(t.Context(), webhookID, perSecond, nil)
			require.NoError(t, err)
			return reservation.At.Sub(clock.Now())
		}
		require.Equal(t, time.Duration(0), reserve("wh_a", 0.5))
		require.Equal(t, 2*time.Second, reserve("wh_a", 0.5))
		require.Equal(t, time.Duration(0), reserve("wh_b", 0.5))
		clock.Advance(time.Hour)
		require.Equal(t, time.Duration(0), reserve("wh_a", 0.5))
		require.Equal(t, 2*time.Second, reserve("wh_a", 100), "the limit was changed: the next gap is the new one's")
		require.Equal(t, 2*time.Second+10*time.Millisecond, reserve("wh_a", 100))
	})
}
