package activities

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// First attempts without a workflow wait their turn for a place, for a moment; a webhook that hangs lets none wait.
func TestWaitForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const concurrency, waiting = 2, 3
		lanes := NewLanes(concurrency)
		var taken []func()
		for range concurrency {
			leave, ok := lanes.enterSoon(t.Context(), "wh", time.Now)
			require.True(t, ok)
			taken = append(taken, leave)
		}
		order := make(chan int, waiting)
		for i := range waiting {
			go func() {
				leave, ok := lanes.enterSoon(t.Context(), "wh", time.Now)
				if ok {
					order <- i
					<-time.After(100 * time.Millisecond)
					leave()
				}
			}()
			synctest.Wait()
		}
		other, ok := lanes.enterSoon(t.Context(), "other", time.Now)
		require.True(t, ok, "another webhook does not wait")
		other()
		taken[0]()
		for i := range waiting {
			require.Equal(t, i, <-order)
		}
		<-time.After(100 * time.Millisecond)

		// Who has waited long enough leaves the queue, and is not in the way of the next.
		last, ok := lanes.enterSoon(t.Context(), "wh", time.Now)
		require.True(t, ok)
		began := time.Now()
		_, ok = lanes.enterSoon(t.Context(), "wh", time.Now)
		require.False(t, ok)
		require.Equal(t, placePatience, time.Since(began))
		ended, end := context.WithCancel(t.Context())
		end()
		_, ok = lanes.enterSoon(ended, "wh", time.Now)
		require.False(t, ok)
		require.Empty(t, lanes.fast.waiting)

		<-time.After(hangingAfter)
		began = time.Now()
		_, ok = lanes.enterSoon(t.Context(), "wh", time.Now)
		require.False(t, ok)
		require.Zero(t, time.Since(began))
		taken[1]()
		last()
		require.Zero(t, lanes.fast.taken)
	})
}
