package start

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
)

const (
	// workers is how many workflows are started at once, queueSize how many wait for that. A start takes a few
	// milliseconds.
	workers   = 16
	queueSize = 4096
	// startTimeout bounds a start when Temporal does not answer.
	startTimeout = 10 * time.Second
	// firstPause, doubled up to longestPause, lies between two tries of a start while Temporal is away.
	firstPause, longestPause = 250 * time.Millisecond, 2 * time.Second
)

// startedLater ends what the log says of workflows that are not started.
const startedLater = "; what they stand for is stored and will be started later"

// background starts workflows behind the answer to the publisher. While Temporal is away it keeps what it could not
// start. It never blocks: what does not fit, and what is left when the process stops, is left to a sweep.
type background struct {
	logger *slog.Logger
	queue  chan func(ctx context.Context) error
	done   sync.WaitGroup
	// mu guards closed: a request that is served after the end must not send on a closed channel.
	mu     sync.RWMutex
	closed bool
	// closing ends the pauses when closed becomes true.
	closing chan struct{}
	// failing says that starts fail at present, so that a long outage is one line in the log; full does so for
	// the queue.
	failing, full atomic.Bool
}

func newBackground(logger *slog.Logger) *background {
	b := emptyBackground(logger)
	for range workers {
		b.done.Go(func() {
			for start := range b.queue {
				b.run(start)
			}
		})
	}
	return b
}

// newPacedBackground has as many starts under way at once as its pacer admits.
func newPacedBackground(logger *slog.Logger, pacer *pacer) *background {
	b := emptyBackground(logger)
	b.done.Go(func() {
		for start := range b.queue {
			_ = pacer.enter(context.Background()) // the context does not end
			b.done.Go(func() {
				defer pacer.leave()
				b.run(start)
			})
		}
	})
	return b
}

func emptyBackground(logger *slog.Logger) *background {
	return &background{
		logger: logger, queue: make(chan func(context.Context) error, queueSize), closing: make(chan struct{}),
	}
}

// Soon has something started in the background and returns at once. What does not fit into the queue is left to a
// sweep.
func (s *Starter) Soon(start func(ctx context.Context) error) { s.background.add(start) }

// add queues a start. It returns false for what is left to a sweep.
func (b *background) add(start func(ctx context.Context) error) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return false // the sweep of the next process starts it
	}
	select {
	case b.queue <- start:
		if len(b.queue) < queueSize/2 {
			b.full.Store(false)
		}
		return true
	default:
		if b.full.CompareAndSwap(false, true) {
			b.logger.Warn("too many workflows wait to be started" + startedLater)
		}
		return false
	}
}

// run tries until the workflow is started. A process that stops while Temporal is away does not wait for it.
func (b *background) run(start func(ctx context.Context) error) {
	if b.stopping() && b.failing.Load() {
		return
	}
	for pause := firstPause; !b.try(start); pause = min(2*pause, longestPause) {
		select {
		case <-b.closing:
			return
		case <-time.After(pause):
		}
	}
}

func (b *background) stopping() bool {
	select {
	case <-b.closing:
		return true
	default:
		return false
	}
}

// try starts a workflow and says whether that is settled: a start that Temporal rejects is not repeated here.
func (b *background) try(start func(ctx context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := start(ctx); err != nil {
		if b.failing.CompareAndSwap(false, true) {
			b.logger.Warn("workflows cannot be started"+startedLater, "error", err)
		}
		return rejected(err)
	}
	if b.failing.CompareAndSwap(true, false) {
		b.logger.Info("workflows are started again")
	}
	return true
}

// rejected says that Temporal answered, and would answer the same again.
func rejected(err error) bool {
	var invalid *serviceerror.InvalidArgument
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &invalid) || errors.As(err, &denied)
}

func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	close(b.closing)
	close(b.queue)
	b.mu.Unlock()
	b.done.Wait()
}
