// Package load publishes events to an installation and receives the deliveries. Its ledger compares what was accepted
// with what arrived.
package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// pollInterval is how often drain looks for arrivals.
const pollInterval = 50 * time.Millisecond

// Load is what a scenario does to the installation.
type Load struct {
	Ledger   *Ledger
	Problems Problems
	Send     Send
	// Measuring is called when the warm-up is over, Ended when nothing more is sent.
	Measuring, Ended func()
	// Await waits for the work that follows the last arrival.
	Await func(context.Context) error
}

// New returns a load with an empty ledger. The caller sets Send.
func New() *Load {
	nothing := func() {}
	return &Load{
		Ledger: newLedger(), Measuring: nothing, Ended: nothing,
		Await: func(context.Context) error { return nil },
	}
}

// Send sends one event and returns when that is answered. due is when it was due, counted from the ledger's
// beginning; the channel is closed when the event has arrived everywhere.
type Send func(ctx context.Context, due time.Duration) (arrived <-chan struct{})

// Closed keeps a number of events under way: the next is sent when one has arrived.
func (l *Load) Closed(ctx context.Context, concurrency int, duration time.Duration) {
	end := l.Ledger.Now() + duration
	var all sync.WaitGroup
	for range concurrency {
		all.Go(func() {
			over := time.NewTimer(duration)
			defer over.Stop()
			for now := l.Ledger.Now(); now < end; now = l.Ledger.Now() {
				select {
				case <-l.Send(ctx, now):
				case <-ctx.Done():
					return
				case <-over.C:
					return // what is still under way is waited for elsewhere
				}
			}
		})
	}
	all.Wait()
}

// Open sends at a rate, whether or not earlier requests have been answered. A stall delays answers, not requests: events
// that were due during a stall count from when they were due. Open returns when every request has been answered.
func (l *Load) Open(ctx context.Context, perSecond int, duration time.Duration) {
	begin := l.Ledger.Now()
	var all sync.WaitGroup
	defer all.Wait()
	for i := range int(duration.Seconds() * float64(perSecond)) {
		due := begin + time.Duration(i)*time.Second/time.Duration(perSecond)
		if wait := due - l.Ledger.Now(); wait > 0 && Pause(ctx, wait) != nil {
			return
		}
		all.Go(func() { l.Send(ctx, due) })
	}
}

// Drain waits until everything has arrived, or nothing more does.
func (l *Load) Drain(ctx context.Context, lateness time.Duration) error {
	_, arrived, missing := l.Ledger.Progress()
	for last := time.Now(); missing > 0 && time.Since(last) < lateness; {
		if err := Pause(ctx, pollInterval); err != nil {
			return fmt.Errorf("wait for deliveries: %w", err)
		}
		before := arrived
		if _, arrived, missing = l.Ledger.Progress(); arrived != before {
			last = time.Now()
		}
	}
	return l.Await(ctx)
}
