package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/postrider/postrider/models"
)

const (
	// directRoom is how much memory, in bytes, the first attempts may take that a process makes at once without a
	// workflow; one takes directSmallest, and its event's data. That is 1,024 small ones.
	directRoom     = 64 << 20
	directSmallest = 64 << 10
	// roomWait is how long a publisher waits for room among them; then what is left of its deliveries gets
	// workflows at once, and waits in Temporal.
	roomWait = time.Second
	// Lease is for how long a delivery is left to the process that published it. One that makes an attempt which
	// takes longer extends it every aliveEvery.
	Lease      = 10 * time.Second
	aliveEvery = 3 * time.Second
)

// Attempts is what dispatching needs of the activities.
type Attempts interface {
	// Expect tells of deliveries whose workflows are about to start in this process.
	Expect(dispatches []models.Job)
	// DeliverDirectly makes a first attempt without a workflow; false says that the delivery needs one from here.
	DeliverDirectly(ctx context.Context, dispatch models.Job) bool
}

// direct makes first attempts in this process, in the background, behind the answer to the publisher. What it
// takes with it when the process dies, the sweep starts: its deliveries are pending.
type direct struct {
	attempts Attempts
	store    Store
	logger   *slog.Logger
	room     *semaphore.Weighted
	stop     context.CancelFunc
	// running are the attempts, alive is what keeps the sweep away from them.
	running, alive sync.WaitGroup

	mu       sync.Mutex
	underWay map[string]time.Time
	// behind is what is to be done behind an attempt under way.
	behind map[string][]func()
}

func newDirect(attempts Attempts, store Store, logger *slog.Logger) *direct {
	ctx, stop := context.WithCancel(context.Background())
	d := &direct{
		attempts: attempts, store: store, logger: logger, stop: stop,
		room: semaphore.NewWeighted(directRoom), underWay: map[string]time.Time{}, behind: map[string][]func(){},
	}
	d.alive.Go(func() { d.keepAlive(ctx) })
	return d
}

// add makes an attempt, unless there is no room for one more until the context ends. It calls startWorkflow when
// the delivery needs its workflow behind the attempt.
func (d *direct) add(ctx context.Context, dispatch models.Job, startWorkflow func()) bool {
	size := directSmallest + int64(len(dispatch.Event.Data))
	if d.room.Acquire(ctx, size) != nil {
		return false
	}
	id := dispatch.Delivery.ID
	d.mu.Lock()
	d.underWay[id] = time.Now()
	d.mu.Unlock()
	d.running.Go(func() {
		done := d.attempts.DeliverDirectly(context.Background(), dispatch)
		d.mu.Lock()
		delete(d.underWay, id)
		then := d.behind[id]
		delete(d.behind, id)
		d.mu.Unlock()
		d.room.Release(size)
		if !done {
			startWorkflow()
		}
		for _, do := range then {
			do()
		}
	})
	return true
}

// after does something behind the attempt that this process makes of a delivery right now. It returns false when it
// makes none.
func (d *direct) after(deliveryID string, do func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.underWay[deliveryID]; !ok {
		return false
	}
	d.behind[deliveryID] = append(d.behind[deliveryID], do)
	return true
}

// keepAlive extends the leases of deliveries whose attempts take long, so that no sweep takes them for forgotten.
func (d *direct) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(aliveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ids := d.longRunning()
		if len(ids) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, aliveEvery)
		if err := d.store.Lease(ctx, ids, time.Now().Add(Lease)); err != nil {
			d.logger.WarnContext(ctx, "first attempts under way cannot be protected from the sweep", "attempts", len(ids), "error", err)
		}
		cancel()
	}
}

// longRunning are the attempts whose leases could end before the next extension.
func (d *direct) longRunning() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for id, since := range d.underWay {
		if time.Since(since) >= aliveEvery {
			ids = append(ids, id)
		}
	}
	return ids
}

// has says whether this process makes the first attempt of a delivery right now.
func (d *direct) has(deliveryID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.underWay[deliveryID]
	return ok
}

// close waits for the attempts under way.
func (d *direct) close() {
	d.running.Wait()
	d.stop()
	d.alive.Wait()
}
