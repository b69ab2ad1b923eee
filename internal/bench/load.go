package bench

import (
	"context"
	"sync"
	"time"
)

// driver calls send again and again for a time and returns when all calls have. due is when a call was due,
// counted from the ledger's beginning; send's channel is closed when what it sent has arrived everywhere.
type driver func(ctx context.Context, l *ledger, duration time.Duration, send send)

type send func(ctx context.Context, due time.Duration) (arrived <-chan struct{})

// closedLoop keeps a number of events under way: each is followed by the next when it has arrived.
func closedLoop(concurrency int) driver {
	return func(ctx context.Context, l *ledger, duration time.Duration, send send) {
		end := l.now() + duration
		var all sync.WaitGroup
		for range concurrency {
			all.Go(func() {
				over := time.NewTimer(duration)
				defer over.Stop()
				for now := l.now(); now < end; now = l.now() {
					select {
					case <-send(ctx, now):
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
}

// openLoop sends at a rate, whether or not what went before has been answered: a stall delays the answers, not
// the questions, and everything that was due during the stall counts from when it was due.
func openLoop(perSecond int) driver {
	return func(ctx context.Context, l *ledger, duration time.Duration, send send) {
		begin := l.now()
		var all sync.WaitGroup
		defer all.Wait()
		for i := range int(duration.Seconds() * float64(perSecond)) {
			due := begin + time.Duration(i)*time.Second/time.Duration(perSecond)
			if wait := due - l.now(); wait > 0 && pause(ctx, wait) != nil {
				return
			}
			all.Go(func() { send(ctx, due) })
		}
	}
}
