package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
	"golang.org/x/sync/errgroup"

	"github.com/postrider/postrider/models"
)

const (
	// starters is how many workflows are started at once, startQueue how many wait for that. A start takes
	// a few milliseconds.
	starters   = 16
	startQueue = 4096
	// startTimeout bounds a start when Temporal does not answer.
	startTimeout = 10 * time.Second
	// firstPause, doubled up to longestPause, lies between two tries of a start while Temporal is away.
	firstPause, longestPause = 250 * time.Millisecond, 2 * time.Second
	// bulkStarters is how many workflows an activity starts at once.
	bulkStarters = 16
)

// startedLater ends what the log says of workflows that are not started.
const startedLater = "; what they stand for is stored and will be started later"

// start starts one workflow.
type start func(ctx context.Context) error

// starter starts workflows in the background, behind the answer to the publisher. While Temporal is away it
// holds on to what it could not start. It never blocks: what does not fit, and what is left when the process
// stops, is the sweep's.
type starter struct {
	logger *slog.Logger
	queue  chan start
	done   sync.WaitGroup
	// mu guards closed: a request that outlives the intake's end must not send on a closed channel.
	mu     sync.RWMutex
	closed bool
	// closing ends the pauses when closed becomes true.
	closing chan struct{}
	// failing says that starts fail at present, so that a long outage is one line in the log; full does so for
	// the queue.
	failing, full atomic.Bool
}

func newStarter(logger *slog.Logger) *starter {
	s := emptyStarter(logger)
	for range starters {
		s.done.Go(func() {
			for start := range s.queue {
				s.run(start)
			}
		})
	}
	return s
}

// newPacedStarter returns a starter that has as much under way at once as its pacer admits.
func newPacedStarter(logger *slog.Logger, pacer *pacer) *starter {
	s := emptyStarter(logger)
	s.done.Go(func() {
		for start := range s.queue {
			_ = pacer.enter(context.Background()) // its turn comes
			s.done.Go(func() {
				defer pacer.leave()
				s.run(start)
			})
		}
	})
	return s
}

func emptyStarter(logger *slog.Logger) *starter {
	return &starter{logger: logger, queue: make(chan start, startQueue), closing: make(chan struct{})}
}

// add has a workflow started soon. It returns false for what is left to the sweep.
func (s *starter) add(start start) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false // the sweep of the next process starts it
	}
	select {
	case s.queue <- start:
		if len(s.queue) < startQueue/2 {
			s.full.Store(false)
		}
		return true
	default:
		if s.full.CompareAndSwap(false, true) {
			s.logger.Warn("too many workflows wait to be started" + startedLater)
		}
		return false
	}
}

// run tries until the workflow is started. A process that stops while Temporal is away does not wait for it.
func (s *starter) run(start start) {
	if s.stopping() && s.failing.Load() {
		return
	}
	for pause := firstPause; !s.try(start); pause = min(2*pause, longestPause) {
		select {
		case <-s.closing:
			return
		case <-time.After(pause):
		}
	}
}

func (s *starter) stopping() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// try starts a workflow and says whether that is settled: a start that Temporal rejects is not repeated here.
func (s *starter) try(start start) bool {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := start(ctx); err != nil {
		s.failed(err)
		return rejected(err)
	}
	if s.failing.CompareAndSwap(true, false) {
		s.logger.Info("workflows are started again")
	}
	return true
}

// rejected says that Temporal answered, and would answer the same again.
func rejected(err error) bool {
	var invalid *serviceerror.InvalidArgument
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &invalid) || errors.As(err, &denied)
}

func (s *starter) failed(err error) {
	if s.failing.CompareAndSwap(false, true) {
		s.logger.Warn("workflows cannot be started"+startedLater, "error", err)
	}
}

func (s *starter) close() {
	s.mu.Lock()
	s.closed = true
	close(s.closing)
	close(s.queue)
	s.mu.Unlock()
	s.done.Wait()
}

// Start starts the workflows of deliveries and returns when all are started; activities call it.
func (d *Dispatcher) Start(ctx context.Context, deliveries []models.Delivery) error {
	if d.direct != nil {
		deliveries = slices.DeleteFunc(deliveries, func(delivery models.Delivery) bool { return d.direct.has(delivery.ID) })
	}
	return startAll(ctx, deliveries, d.startDelivery)
}

func startAll[T any](ctx context.Context, things []T, start func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bulkStarters)
	for _, thing := range things {
		group.Go(func() error { return start(ctx, thing) })
	}
	return group.Wait()
}
