package start_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// manyInbound is a store for which every inbound event is new.
type manyInbound struct{ dispatch.Store }

func (manyInbound) StoreInbound(_ context.Context, inbound *models.InboundEvent) (bool, error) {
	inbound.ID = typeid.New(typeid.KindInbound, time.Now())
	return true, nil
}

// busyTemporal is a Temporal that works on so many workflows at once without delay; more share its time. A start
// takes 5 ms and a workflow another 15 ms.
type busyTemporal struct {
	dispatchtest.Temporal
	capacity int32
	underWay atomic.Int32

	mu sync.Mutex
	// atOnce is how many workflows were under way at each start.
	atOnce []int32
}

func newBusyTemporal(capacity int32) *busyTemporal {
	b := &busyTemporal{capacity: capacity}
	b.OnStart = func(context.Context, string) error {
		n := b.underWay.Add(1)
		b.mu.Lock()
		b.atOnce = append(b.atOnce, n)
		b.mu.Unlock()
		<-time.After(b.shared(5 * time.Millisecond))
		return nil
	}
	b.Run = dispatchtest.Run{OnGet: func(context.Context) error {
		defer b.underWay.Add(-1)
		<-time.After(b.shared(15 * time.Millisecond))
		return nil
	}}
	return b
}

// shared is how long something takes beside what else is under way.
func (b *busyTemporal) shared(alone time.Duration) time.Duration {
	return alone * time.Duration(max(b.underWay.Load(), b.capacity)) / time.Duration(b.capacity)
}

func receive(t *testing.T, d *dispatchtest.Dispatcher, events int) {
	t.Helper()
	for range events {
		fresh, err := d.Receive(t.Context(), models.InboundEvent{})
		require.NoError(t, err)
		require.True(t, fresh)
	}
}

// A burst of inbound events takes a small Temporal no more than it can do, and all that a large one can do.
func TestReceivePacesABurst(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		capacity    int32
		least, most int32
	}{
		"very small": {1, 1, 3},
		"small":      {2, 2, 6},
		"middling":   {40, 40, 100},
		"large":      {1000, start.MostUnderWay, start.MostUnderWay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				temporal := newBusyTemporal(test.capacity)
				d := dispatchtest.New(manyInbound{}, temporal, (&dispatchtest.Log{}).Logger())
				for range 5 { // a quiet time before
					receive(t, d, 1)
					<-time.After(time.Second)
				}
				receive(t, d, start.QueueSize)
				<-time.After(10 * time.Minute)
				require.Len(t, temporal.IDs(), 5+start.QueueSize, "the backlog is worked off")
				require.Zero(t, temporal.underWay.Load())
				settled := temporal.atOnce[start.QueueSize/2 : start.QueueSize]
				require.GreaterOrEqual(t, slices.Max(settled), test.least)
				require.LessOrEqual(t, slices.Max(settled), test.most)
				d.Close()
			})
		})
	}
}

// What does not fit into the queue is the sweep's, and one line in the log.
func TestReceiveMoreThanTheQueueHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal, log := newBusyTemporal(1), &dispatchtest.Log{}
		d := dispatchtest.New(manyInbound{}, temporal, log.Logger())
		receive(t, d, start.QueueSize+100)
		<-time.After(10 * time.Minute)
		require.GreaterOrEqual(t, len(temporal.IDs()), start.QueueSize)
		require.Less(t, len(temporal.IDs()), start.QueueSize+100)
		require.Equal(t, 1, strings.Count(log.String(), "too many workflows wait to be started"), log.String())
		require.Empty(t, d.Starter.Queued(), "not started, and hidden from the sweep")
		d.Close()
	})
}

// The sweep leaves alone what waits in the queue of its process. What it starts has its turn before the queue is
// empty.
func TestSweepBesideABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := newBusyTemporal(1)
		d := dispatchtest.New(manyInbound{}, temporal, (&dispatchtest.Log{}).Logger())
		receive(t, d, 1000)
		var queued []models.InboundEvent
		for _, id := range d.Starter.Queued() {
			queued = append(queued, models.InboundEvent{ID: id})
		}
		require.Len(t, queued, 1000)
		forgotten := models.InboundEvent{ID: typeid.New(typeid.KindInbound, time.Now())}
		require.NoError(t, d.Starter.StartInbound(t.Context(), append(queued, forgotten)))
		require.Contains(t, temporal.IDs(), forgotten.ID)
		require.Less(t, len(temporal.IDs()), 100)
		<-time.After(10 * time.Minute)
		require.Len(t, temporal.IDs(), 1001)
		d.Close()
	})
}

// A process that stops starts what waits, and waits for no workflow's end.
func TestCloseInTheMiddleOfABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &dispatchtest.Temporal{Run: dispatchtest.Run{OnGet: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		d := dispatchtest.New(manyInbound{}, temporal, (&dispatchtest.Log{}).Logger())
		receive(t, d, 100)
		synctest.Wait()
		require.Len(t, temporal.IDs(), start.FirstLimit)
		began := time.Now()
		d.Close()
		require.Zero(t, time.Since(began))
		require.Len(t, temporal.IDs(), 100)
	})
}

// A workflow that does not end, for want of a worker for one, holds up the others for a while only.
func TestInboundWorkflowsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &dispatchtest.Temporal{Run: dispatchtest.Run{OnGet: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		d := dispatchtest.New(manyInbound{}, temporal, (&dispatchtest.Log{}).Logger())
		receive(t, d, start.FirstLimit+1)
		synctest.Wait()
		require.Len(t, temporal.IDs(), start.FirstLimit)
		<-time.After(start.EndPatience)
		synctest.Wait()
		require.Len(t, temporal.IDs(), start.FirstLimit+1)
		d.Close()
	})
}

// While Temporal is away the limit falls; afterwards everything is started.
func TestReceiveWithoutTemporal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		away.Store(true)
		temporal := newBusyTemporal(2)
		respond := temporal.OnStart
		temporal.OnStart = func(ctx context.Context, id string) error {
			if away.Load() {
				return dispatchtest.ErrAway
			}
			return respond(ctx, id)
		}
		log := &dispatchtest.Log{}
		d := dispatchtest.New(manyInbound{}, temporal, log.Logger())
		receive(t, d, 500)
		<-time.After(time.Hour)
		require.Empty(t, temporal.IDs())
		require.InDelta(t, 1, d.Starter.Limit(), 0)
		away.Store(false)
		<-time.After(10 * time.Minute)
		require.Len(t, temporal.IDs(), 500)
		require.Equal(t, 1, strings.Count(log.String(), "workflows cannot be started"), log.String())
		d.Close()
	})
}
