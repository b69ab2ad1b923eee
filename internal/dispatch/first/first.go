// Package first makes the first attempts of deliveries in the process that publishes them, behind the answer to the
// publisher and without a workflow. If the process dies, its deliveries are still pending and the sweep starts them.
package first

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

const (
	// room is how much memory, in bytes, the attempts may take that are under way; one takes attemptSize, and its
	// event's data. That is 1,024 small ones.
	room        = 64 << 20
	attemptSize = 64 << 10
	// RoomWait is how long a publisher waits for room among them; then what is left of its deliveries gets workflows
	// at once, and waits in Temporal.
	RoomWait = timing.RoomWait
	// Lease is for how long a sweep leaves a delivery to the process that published it. A process that makes an
	// attempt which takes longer extends it every extendEvery.
	Lease       = timing.Lease
	extendEvery = timing.LeaseExtension
)

// Maker makes attempts.
type Maker interface {
	// MakeFirst makes a first attempt without a workflow; false says that the delivery needs one from here.
	MakeFirst(ctx context.Context, job models.Job) bool
}

// Store is what first attempts need of the database.
type Store interface {
	Lease(ctx context.Context, ids []string, until time.Time) error
}

// Attempts makes first attempts in the background. Close it to wait for those under way.
type Attempts struct {
	maker   Maker
	store   Store
	starter *start.Starter
	logger  *slog.Logger
	room    *semaphore.Weighted
	// running are the attempts, leasing is what extends their leases until stop is called.
	running, leasing sync.WaitGroup
	stop             context.CancelFunc
}

// New returns Attempts without any under way. The starter starts the workflows of deliveries that need one behind
// their first attempt, and none while it is under way.
func New(maker Maker, store Store, starter *start.Starter, logger *slog.Logger) *Attempts {
	ctx, stop := context.WithCancel(context.Background())
	a := &Attempts{
		maker: maker, store: store, starter: starter, logger: logger, room: semaphore.NewWeighted(room), stop: stop,
	}
	a.leasing.Go(func() { a.extendLeases(ctx) })
	return a
}

// Make begins an attempt and returns at once. It returns false when there was no room for one more until the context
// ended.
func (a *Attempts) Make(ctx context.Context, job models.Job) bool {
	size := attemptSize + int64(len(job.Event.Data))
	if a.room.Acquire(ctx, size) != nil {
		return false
	}
	a.starter.Hold(job.Delivery.ID)
	a.running.Go(func() {
		done := a.maker.MakeFirst(context.Background(), job)
		a.room.Release(size)
		delivery := job.Delivery
		if !done {
			a.starter.Soon(func(ctx context.Context) error { return a.starter.StartDelivery(ctx, delivery) })
		}
		a.starter.LetGo(delivery.ID)
	})
	return true
}

// extendLeases extends the leases of deliveries whose attempts take long, so that no sweep starts their workflows.
func (a *Attempts) extendLeases(ctx context.Context) {
	ticker := time.NewTicker(extendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ids := a.starter.HeldFor(extendEvery)
		if len(ids) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, extendEvery)
		if err := a.store.Lease(ctx, ids, time.Now().Add(Lease)); err != nil {
			a.logger.WarnContext(ctx, "first attempts under way cannot be protected from the sweep", "attempts", len(ids), "error", err)
		}
		cancel()
	}
}

// Close waits for the attempts under way. No more may be made.
func (a *Attempts) Close() {
	a.running.Wait()
	a.stop()
	a.leasing.Wait()
}
