package attempt

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/timing"
)

// First attempts without a workflow wait a moment for a slot, one after the other; a webhook that hangs lets none wait.
func TestWaitForASlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const concurrency, waiting = 2, 3
		lanes := NewLanes(concurrency)
		var taken []*slot
		for range concurrency {
			slot := lanes.takeSoon(t.Context(), "wh", time.Now)
			require.NotNil(t, slot)
			taken = append(taken, slot)
		}
		order := make(chan int, waiting)
		for i := range waiting {
			go func() {
				if slot := lanes.takeSoon(t.Context(), "wh", time.Now); slot != nil {
					order <- i
					<-time.After(100 * time.Millisecond)
					slot.release()
				}
			}()
			synctest.Wait()
		}
		other := lanes.takeSoon(t.Context(), "other", time.Now)
		require.NotNil(t, other, "another webhook does not wait")
		other.release()
		taken[0].release()
		for i := range waiting {
			require.Equal(t, i, <-order)
		}
		<-time.After(100 * time.Millisecond)

		// Who has waited long enough leaves the queue, and is not in the way of the next.
		last := lanes.takeSoon(t.Context(), "wh", time.Now)
		require.NotNil(t, last)
		began := time.Now()
		require.Nil(t, lanes.takeSoon(t.Context(), "wh", time.Now))
		require.Equal(t, timing.SlotPatience, time.Since(began))
		ended, end := context.WithCancel(t.Context())
		end()
		require.Nil(t, lanes.takeSoon(ended, "wh", time.Now))
		require.Empty(t, lanes.fast.waiting)

		<-time.After(timing.Hanging)
		began = time.Now()
		require.Nil(t, lanes.takeSoon(t.Context(), "wh", time.Now))
		require.Zero(t, time.Since(began))
		taken[1].release()
		last.release()
		require.Zero(t, lanes.fast.taken)
	})
}
