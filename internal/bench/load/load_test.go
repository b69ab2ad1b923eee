package load

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Events are due during a stall too; otherwise the times would suffer from coordinated omission.
func TestOpenLoopSendsWhatIsDueDuringAStall(t *testing.T) {
	t.Parallel()
	const perSecond, events = 100, 20
	l := New()
	var mu sync.Mutex
	var dues []time.Duration
	allDue := make(chan struct{})
	l.Send = func(_ context.Context, due time.Duration) <-chan struct{} {
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
	l.Open(t.Context(), perSecond, events*time.Second/perSecond)
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
	l := New()
	var mu sync.Mutex
	var underWay []chan struct{}
	sent := 0
	l.Send = func(context.Context, time.Duration) <-chan struct{} {
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
	l.Closed(ctx, concurrency, time.Hour)
	require.ErrorIs(t, ctx.Err(), context.Canceled, "ended by the last round, not by the deadline")
	require.Equal(t, rounds*concurrency, sent)
}

func TestClosedLoopEndsWithoutArrivals(t *testing.T) {
	t.Parallel()
	l := New()
	l.Send = func(context.Context, time.Duration) <-chan struct{} { return nil }
	l.Closed(t.Context(), 2, 50*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.Closed(ctx, 2, time.Hour)
	l.Open(ctx, 1, time.Hour)
}

func TestDrainWaitsForArrivals(t *testing.T) {
	t.Parallel()
	l := New()
	_, e := l.Ledger.Open(0, 0, 1)
	l.Ledger.Answer(e, true)
	awaited := false
	l.Await = func(context.Context) error { awaited = true; return nil }
	time.AfterFunc(20*time.Millisecond, func() { l.Ledger.Arrive(0, 0, "dlv_1", l.Ledger.Now()) })
	require.NoError(t, l.Drain(t.Context(), time.Minute))
	_, _, missing := l.Ledger.Progress()
	require.Zero(t, missing)
	require.True(t, awaited)

	_, e = l.Ledger.Open(0, 0, 1)
	l.Ledger.Answer(e, true)
	require.NoError(t, l.Drain(t.Context(), pollInterval), "what is late is given up")
	_, _, missing = l.Ledger.Progress()
	require.Equal(t, 1, missing)
}
