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
	starters   = 64
	startQueue = 4096
	// startTimeout bounds a start when Temporal does not answer.
	startTimeout = 10 * time.Second
	// bulkStarters is how many workflows an activity starts at once.
	bulkStarters = 16
)

// job is one delivery to start, or one event whose FanOut is to be started.
type job struct {
	delivery models.Delivery
	fanOut   string
}

// starter starts workflows in the background, behind the answer to the publisher. It never blocks: what does
// not fit is left to the sweep.
type starter struct {
	start  func(context.Context, job) error
	logger *slog.Logger
	queue  chan job
	done   sync.WaitGroup
	// mu guards closed: a request that outlives the intake's end must not send on a closed channel.
	mu     sync.RWMutex
	closed bool
	// failing says that starts fail at present, so that a long outage is one line in the log.
	failing atomic.Bool
}

func newStarter(start func(context.Context, job) error, logger *slog.Logger) *starter {
	s := &starter{start: start, logger: logger, queue: make(chan job, startQueue)}
	for range starters {
		s.done.Go(func() {
			for job := range s.queue {
				s.try(job)
			}
		})
	}
	return s
}

func (s *starter) add(job job) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return // the sweep of the next process starts it
	}
	select {
	case s.queue <- job:
	default:
		s.failed("too many workflows wait to be started", nil)
	}
}

func (s *starter) try(job job) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.start(ctx, job); err != nil {
		s.failed("workflows cannot be started", err)
		return
	}
	if s.failing.CompareAndSwap(true, false) {
		s.logger.Info("workflows are started again")
	}
}

func (s *starter) failed(message string, err error) {
	if s.failing.CompareAndSwap(false, true) {
		s.logger.Warn(message+"; their deliveries are stored and the sweep will start them", "error", err)
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
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bulkStarters)
	for _, delivery := range deliveries {
		group.Go(func() error { return d.startDelivery(ctx, delivery) })
	}
	return group.Wait()
}
