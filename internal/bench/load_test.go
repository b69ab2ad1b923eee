package bench

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A stall must not keep events from being due: that is what coordinated omission leaves out.
func TestOpenLoopSendsWhatIsDueDuringAStall(t *testing.T) {
	t.Parallel()
	const perSecond, events = 100, 20
	l := newLoad()
	var mu sync.Mutex
	var dues []time.Duration
	allDue := make(chan struct{})
	l.send = func(_ context.Context, due time.Duration) <-chan struct{} {
		mu.Lock()
		dues = append(dues, due)
		complete := len(dues) == events
		mu.Unlock()
		if complete {
			close(allDue)
		}
		<-allDue // no answer before the last event is due
		return nil
	}
	l.open(t.Context(), perSecond, events*time.Second/perSecond)
	require.Len(t, dues, events)
	seen := map[time.Duration]bool{}
	for _, due := range dues {
		seen[(due - dues[0]).Round(time.Millisecond)] = true
	}
	require.Len(t, seen, events, "each has a moment of its own")
}

func TestClosedLoopKeepsItsNumberUnderWay(t *testing.T) {
	t.Parallel()
	const concurrency, rounds = 3, 5
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l := newLoad()
	var mu sync.Mutex
	var underWay []chan struct{}
	sent := 0
	l.send = func(context.Context, time.Duration) <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		sent++
		arrived := make(chan struct{})
		underWay = append(underWay, arrived)
		if len(underWay) < concurrency {
			return arrived
		}
		if sent >= rounds*concurrency {
			cancel()
			return nil
		}
		for _, waiting := range underWay { // nothing arrives before all are under way
			close(waiting)
		}
		underWay = nil
		return arrived
	}
	l.closed(ctx, concurrency, time.Hour)
	require.ErrorIs(t, ctx.Err(), context.Canceled, "ended by the last round, not by the deadline")
	require.Equal(t, rounds*concurrency, sent)
}

func TestClosedLoopEndsWithoutArrivals(t *testing.T) {
	t.Parallel()
	l := newLoad()
	l.send = func(context.Context, time.Duration) <-chan struct{} { return nil }
	l.closed(t.Context(), 2, 50*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.closed(ctx, 2, time.Hour)
	l.open(ctx, 1, time.Hour)
}

func TestDrainWaitsForArrivals(t *testing.T) {
	t.Parallel()
	l := newLoad()
	_, e := l.ledger.open(0, 0, 1)
	l.ledger.answer(e, true)
	awaited := false
	l.await = func(context.Context) error { awaited = true; return nil }
	time.AfterFunc(20*time.Millisecond, func() { l.ledger.arrive(0, 0, "dlv_1", l.ledger.now()) })
	require.NoError(t, l.drain(t.Context(), time.Minute))
	_, _, missing := l.ledger.progress()
	require.Zero(t, missing)
	require.True(t, awaited)

	_, e = l.ledger.open(0, 0, 1)
	l.ledger.answer(e, true)
	require.NoError(t, l.drain(t.Context(), pollInterval), "what is late is given up")
	_, _, missing = l.ledger.progress()
	require.Equal(t, 1, missing)
}
