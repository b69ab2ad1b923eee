package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

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
	// bulkStarters is how many workflows an activity starts at once.
	bulkStarters = 16
)

// start starts one workflow.
type start func(ctx context.Context) error

// starter starts workflows in the background, behind the answer to the publisher. It never blocks: what does
// not fit is left to the sweep.
type starter struct {
	logger *slog.Logger
	queue  chan start
	done   sync.WaitGroup
	// mu guards closed: a request that outlives the intake's end must not send on a closed channel.
	mu     sync.RWMutex
	closed bool
	// failing says that starts fail at present, so that a long outage is one line in the log.
	failing atomic.Bool
}

func newStarter(logger *slog.Logger) *starter {
	s := &starter{logger: logger, queue: make(chan start, startQueue)}
	for range starters {
		s.done.Go(func() {
			for start := range s.queue {
				s.try(start)
			}
		})
	}
	return s
}

func (s *starter) add(start start) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return // the sweep of the next process starts it
	}
	select {
	case s.queue <- start:
	default:
		s.failed("too many workflows wait to be started", nil)
	}
}

func (s *starter) try(start start) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := start(ctx); err != nil {
		s.failed("workflows cannot be started", err)
		return
	}
	if s.failing.CompareAndSwap(true, false) {
		s.logger.Info("workflows are started again")
	}
}

func (s *starter) failed(message string, err error) {
	if s.failing.CompareAndSwap(false, true) {
		s.logger.Warn(message+"; what they stand for is stored and the sweep will start them", "error", err)
	}
}

func (s *starter) close() {
	s.mu.Lock()
	s.closed = true
	close(s.queue)
	s.mu.Unlock()
	s.done.Wait()
}

// Start starts the workflows of deliveries and returns when all are started; activities call it.
func (d *Dispatcher) Start(ctx context.Context, deliveries []models.Delivery) error {
	return startAll(ctx, deliveries, d.startDelivery)
}

// StartInbound does for inbound events what Start does for deliveries.
func (d *Dispatcher) StartInbound(ctx context.Context, inbound []models.InboundEvent) error {
	return startAll(ctx, inbound, d.startInbound)
}

func startAll[T any](ctx context.Context, things []T, start func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bulkStarters)
	for _, thing := range things {
		group.Go(func() error { return start(ctx, thing) })
	}
	return group.Wait()
}
