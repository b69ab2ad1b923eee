package store

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// batchMost is how many calls one batch holds at most, and batchBytes how much data, unless a single call has
	// more; batchesAtOnce is how many batches are under way.
	batchMost     = 200
	batchBytes    = 4 << 20
	batchesAtOnce = 2
	// batchTimeout bounds a batch, which belongs to no single caller.
	batchTimeout = 20 * time.Second
)

// batcher joins calls that come at the same time into one transaction: while batches are under way, the calls
// of the next one gather. A call that comes alone waits for nothing.
type batcher[In, Out any] struct {
	// run answers a batch, in its order. When it fails, each call is tried alone, so that none fails for another.
	run func(ctx context.Context, batch []In) ([]Out, error)
	// size, unless nil, is how much data a call has, in bytes.
	size func(In) int
	// apart, unless nil, says that no two calls share a batch, and names whose a call is: those who wait take turns,
	// however many calls one of them makes.
	apart func(In) string

	mu      sync.Mutex
	waiting []*batched[In, Out]
	running int
	// turns counts the calls that were taken while others waited, and served has the last one of each.
	turns  int
	served map[string]int
}

// batched is a call that waits for its batch.
type batched[In, Out any] struct {
	in   In
	out  Out
	err  error
	done chan struct{}
}

// do returns when its batch is durable. A caller that gives up earlier does not know whether it will be.
func (b *batcher[In, Out]) do(ctx context.Context, in In) (Out, error) {
	call := &batched[In, Out]{in: in, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, call)
	if b.running < batchesAtOnce {
		b.running++
		go b.work()
	}
	b.mu.Unlock()
	select {
	case <-call.done:
		return call.out, call.err
	case <-ctx.Done():
		var none Out
		return none, ctx.Err()
	}
}

// work runs batches until nobody waits.
func (b *batcher[In, Out]) work() {
	for {
		batch := b.next()
		if len(batch) == 0 {
			return
		}
		if !b.runTogether(batch) {
			for _, call := range batch {
				b.runTogether([]*batched[In, Out]{call})
			}
		}
		for _, call := range batch {
			close(call.done)
		}
	}
}

// next takes the calls of the next batch.
func (b *batcher[In, Out]) next() []*batched[In, Out] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.running--
		b.waiting, b.turns, b.served = nil, 0, nil
		return nil
	}
	if b.apart != nil {
		return b.nextApart()
	}
	n := b.fitting()
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return batch
}

// fitting is how many of those that wait fit into one batch.
func (b *batcher[In, Out]) fitting() int {
	most := min(len(b.waiting), batchMost)
	if b.size == nil {
		return most
	}
	bytes := 0
	for n, call := range b.waiting[:most] {
		if bytes += b.size(call.in); bytes > batchBytes && n > 0 {
			return n
		}
	}
	return most
}

// nextApart takes the first call of who has waited longest for a turn.
func (b *batcher[In, Out]) nextApart() []*batched[In, Out] {
	first := 0
	for i, call := range b.waiting {
		if b.served[b.apart(call.in)] < b.served[b.apart(b.waiting[first].in)] {
			first = i
		}
	}
	call := b.waiting[first]
	b.waiting = slices.Delete(b.waiting, first, first+1)
	if b.served == nil {
		b.served = map[string]int{}
	}
	b.turns++
	b.served[b.apart(call.in)] = b.turns
	return []*batched[In, Out]{call}
}

// runTogether says whether the calls have their answers. A single one has, an error if need be, and so have
// all when the database is away.
func (b *batcher[In, Out]) runTogether(batch []*batched[In, Out]) bool {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	in := make([]In, len(batch))
	for i, call := range batch {
		in[i] = call.in
	}
	out, err := b.run(ctx, in)
	if err != nil && len(batch) > 1 && !IsUnavailable(err) {
		return false
	}
	for i, call := range batch {
		if call.err = err; err == nil {
			call.out = out[i]
		}
	}
	return true
}
