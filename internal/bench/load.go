package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// load is what a scenario does to the installation.
type load struct {
	ledger   *ledger
	problems problems
	send     send
	// measuring and ended are called when the warm-up is over and when nothing is sent any more.
	measuring, ended func()
	// await waits for what follows the last arrival.
	await func(context.Context) error
}

func newLoad() *load {
	nothing := func() {}
	return &load{
		ledger: newLedger(), measuring: nothing, ended: nothing,
		await: func(context.Context) error { return nil },
	}
}

// send sends one event and returns when that is answered. due is when it was due, counted from the ledger's
// beginning; the channel is closed when the event has arrived everywhere.
type send func(ctx context.Context, due time.Duration) (arrived <-chan struct{})

// closed keeps a number of events under way: each is followed by the next when it has arrived.
func (l *load) closed(ctx context.Context, concurrency int, duration time.Duration) {
	end := l.ledger.now() + duration
	var all sync.WaitGroup
	for range concurrency {
		all.Go(func() {
			over := time.NewTimer(duration)
			defer over.Stop()
			for now := l.ledger.now(); now < end; now = l.ledger.now() {
				select {
				case <-l.send(ctx, now):
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

// open sends at a rate, whether or not what went before has been answered: a stall delays the answers, not the
// questions, and everything that was due during the stall counts from when it was due. It returns when nothing
// waits for an answer any more.
func (l *load) open(ctx context.Context, perSecond int, duration time.Duration) {
	begin := l.ledger.now()
	var all sync.WaitGroup
	defer all.Wait()
	for i := range int(duration.Seconds() * float64(perSecond)) {
		due := begin + time.Duration(i)*time.Second/time.Duration(perSecond)
		if wait := due - l.ledger.now(); wait > 0 && pause(ctx, wait) != nil {
			return
		}
		all.Go(func() { l.send(ctx, due) })
	}
}

// drain waits until everything has arrived, or nothing more does.
func (l *load) drain(ctx context.Context, lateness time.Duration) error {
	_, arrived, missing := l.ledger.progress()
	for last := time.Now(); missing > 0 && time.Since(last) < lateness; {
		if err := pause(ctx, pollInterval); err != nil {
			return fmt.Errorf("wait for deliveries: %w", err)
		}
		before := arrived
		if _, arrived, missing = l.ledger.progress(); arrived != before {
			last = time.Now()
		}
	}
	return l.await(ctx)
}

// problems are the errors of a load.
type problems struct {
	mu    sync.Mutex
	err   error
	count int
}

func (p *problems) add(err error) {
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count++; p.err == nil {
		p.err = err
	}
}

// first says how many there were, and the first one; nothing when there was none.
func (p *problems) first() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return ""
	}
	return fmt.Sprintf("%d not accepted, the first: %s", p.count, p.err)
}

// fatal is an error when nothing at all was accepted.
func (p *problems) fatal(published int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil && p.count >= published {
		return p.err
	}
	return nil
}
