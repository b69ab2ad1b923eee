package dispatch

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

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// manyInbound is a store for which every inbound event is new.
type manyInbound struct{ Store }

func (manyInbound) StoreInbound(_ context.Context, inbound *models.InboundEvent) (bool, error) {
	inbound.ID = typeid.New(typeid.KindInbound, time.Now())
	return true, nil
}

// busyTemporal is a Temporal that works on so many workflows at once without delay; more share its time. A start
// takes 5 ms and a workflow another 15 ms.
type busyTemporal struct {
	fakeTemporal
	capacity int32
	underWay atomic.Int32

	mu sync.Mutex
	// atOnce is how many workflows were under way at each start.
	atOnce []int32
}

func newBusyTemporal(capacity int32) *busyTemporal {
	b := &busyTemporal{capacity: capacity}
	b.start = func(context.Context, string) error {
		n := b.underWay.Add(1)
		b.mu.Lock()
		b.atOnce = append(b.atOnce, n)
		b.mu.Unlock()
		<-time.After(b.shared(5 * time.Millisecond))
		return nil
	}
	b.run = run{get: func(context.Context) error {
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

func receive(t *testing.T, d *Dispatcher, events int) {
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
		"large":      {1000, mostUnderWay, mostUnderWay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				temporal := newBusyTemporal(test.capacity)
				d := New(manyInbound{}, temporal, (&log{}).logger())
				for range 5 { // a quiet time before
					receive(t, d, 1)
					<-time.After(time.Second)
				}
				receive(t, d, startQueue)
				<-time.After(10 * time.Minute)
				require.Len(t, temporal.ids(), 5+startQueue, "the backlog is worked off")
				require.Zero(t, temporal.underWay.Load())
				settled := temporal.atOnce[startQueue/2 : startQueue]
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
		temporal, log := newBusyTemporal(1), &log{}
		d := New(manyInbound{}, temporal, log.logger())
		receive(t, d, startQueue+100)
		<-time.After(10 * time.Minute)
		require.GreaterOrEqual(t, len(temporal.ids()), startQueue)
		require.Less(t, len(temporal.ids()), startQueue+100)
		require.Equal(t, 1, strings.Count(log.String(), "too many workflows wait to be started"), log.String())
		d.inbound.queued.Range(func(id, _ any) bool {
			require.Fail(t, "not started, and hidden from the sweep", "%s", id)
			return false
		})
		d.Close()
	})
}

// The sweep leaves alone what waits in the queue of its process. What it starts has its turn before the queue is
// empty.
func TestSweepBesideABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := newBusyTemporal(1)
		d := New(manyInbound{}, temporal, (&log{}).logger())
		receive(t, d, 1000)
		var queued []models.InboundEvent
		d.inbound.queued.Range(func(id, _ any) bool {
			queued = append(queued, models.InboundEvent{ID: id.(string)})
			return true
		})
		require.Len(t, queued, 1000)
		forgotten := models.InboundEvent{ID: typeid.New(typeid.KindInbound, time.Now())}
		require.NoError(t, d.StartInbound(t.Context(), append(queued, forgotten)))
		require.Contains(t, temporal.ids(), forgotten.ID)
		require.Less(t, len(temporal.ids()), 100)
		<-time.After(10 * time.Minute)
		require.Len(t, temporal.ids(), 1001)
		d.Close()
	})
}

// A process that stops starts what waits, and waits for no workflow's end.
func TestCloseInTheMiddleOfABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &fakeTemporal{run: run{get: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		d := New(manyInbound{}, temporal, (&log{}).logger())
		receive(t, d, 100)
		synctest.Wait()
		require.Len(t, temporal.ids(), firstLimit)
		began := time.Now()
		d.Close()
		require.Zero(t, time.Since(began))
		require.Len(t, temporal.ids(), 100)
	})
}

// A workflow that does not end, for want of a worker for one, holds up the others for a while only.
func TestInboundWorkflowsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		temporal := &fakeTemporal{run: run{get: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		d := New(manyInbound{}, temporal, (&log{}).logger())
		receive(t, d, firstLimit+1)
		synctest.Wait()
		require.Len(t, temporal.ids(), firstLimit)
		<-time.After(endPatience)
		synctest.Wait()
		require.Len(t, temporal.ids(), firstLimit+1)
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
		respond := temporal.start
		temporal.start = func(ctx context.Context, id string) error {
			if away.Load() {
				return errAway
			}
			return respond(ctx, id)
		}
		log := &log{}
		d := New(manyInbound{}, temporal, log.logger())
		receive(t, d, 500)
		<-time.After(time.Hour)
		require.Empty(t, temporal.ids())
		d.inbound.pacer.mu.Lock()
		require.InDelta(t, 1, d.inbound.pacer.limit, 0)
		d.inbound.pacer.mu.Unlock()
		away.Store(false)
		<-time.After(10 * time.Minute)
		require.Len(t, temporal.ids(), 500)
		require.Equal(t, 1, strings.Count(log.String(), "workflows cannot be started"), log.String())
		d.Close()
	})
}

func TestPacerAdmitsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		for range firstLimit {
			require.NoError(t, p.enter(t.Context()))
		}
		var mu sync.Mutex
		var order []int
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 3 {
			go func() {
				err := p.enter(map[bool]context.Context{true: ctx, false: context.Background()}[i == 1])
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					order = append(order, i)
				}
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		p.leave()
		synctest.Wait()
		require.Equal(t, []int{0}, order)
		p.leave()
		synctest.Wait()
		require.Equal(t, []int{0, 2}, order, "who gave up is left out")
		require.Equal(t, firstLimit, p.underWay)
	})
}
