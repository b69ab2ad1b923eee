package start

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/temporal"
)

const (
	// firstLimit is how many workflows are under way at once while nothing is known of Temporal; mostUnderWay is
	// how many there are at most.
	firstLimit, mostUnderWay = 4, 256
	// slower is how many times as long as a start alone one takes when Temporal has enough to do: beyond that,
	// more workflows at once only wait for each other.
	slower = 1.5
)

// pacer bounds how many workflows are under way at once by how Temporal responds, as TCP does with a network.
// While starts are about as fast as a single one, the limit grows; when they are slower, it shrinks, down to one.
// So a small Temporal is kept busy but not flooded, and a large one has as many workflows as it takes.
type pacer struct {
	mu       sync.Mutex
	limit    float64
	underWay int
	// waiting are those who are not admitted yet, first come first served.
	waiting []chan struct{}
	// alone is what a start takes when no other workflow is under way.
	alone time.Duration
}

func newPacer() *pacer { return &pacer{limit: firstLimit} }

// enter waits until one more workflow may be under way; leave says that it is not any more.
func (p *pacer) enter(ctx context.Context) error {
	p.mu.Lock()
	admitted := make(chan struct{})
	p.waiting = append(p.waiting, admitted)
	p.admit()
	p.mu.Unlock()
	select {
	case <-admitted:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, admitted); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else { // admitted just now
		p.underWay--
		p.admit()
	}
	return ctx.Err()
}

func (p *pacer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay--
	p.admit()
}

// admit lets in who may. The caller holds the lock.
func (p *pacer) admit() {
	for len(p.waiting) > 0 && p.underWay < int(p.limit) {
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
		p.underWay++
	}
}

// time starts a workflow, for a caller that was admitted, and learns from how long that takes. Within as many starts
// as there are workflows under way, the limit changes by one or, when it is large, by a tenth.
func (p *pacer) time(start func() error) error {
	alone, began := p.isAlone(), time.Now()
	err := start()
	took := time.Since(began)
	alone = alone && p.isAlone()

	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return err // how long that took says nothing of a start
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	step := max(1/p.limit, 0.1)
	if err != nil {
		p.limit = max(p.limit-step, 1)
		return err
	}
	p.learn(took, alone)
	switch {
	case float64(took) > slower*float64(p.alone):
		p.limit = max(p.limit-step, 1)
	case 2*p.underWay >= int(p.limit): // a limit that nobody reaches says nothing
		p.limit = min(p.limit+step, mostUnderWay)
		p.admit()
	}
	return nil
}

// learn follows what a start alone takes; one that is late for another reason counts as twice as long at most. One
// that is not alone and still faster says that this has become less.
func (p *pacer) learn(took time.Duration, alone bool) {
	switch {
	case p.alone == 0:
		p.alone = took
	case alone:
		p.alone += (min(took, 2*p.alone) - p.alone) / 8
	case took < p.alone:
		p.alone -= (p.alone - took) / 64
	}
}

func (p *pacer) isAlone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.underWay == 1
}
