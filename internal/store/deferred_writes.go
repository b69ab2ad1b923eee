package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// deferredInterval is how often deferred writes are made: the most that a crash loses.
	deferredInterval = time.Second
	// deferredTimeout bounds one round of them.
	deferredTimeout = 10 * time.Second
)

// DeferredWrites is a store that collects what requests leave behind in memory and writes it a little later: that a key
// was used, that a key was not valid, and that a source refused a request. No request waits for these writes or fails
// with them, and a flood of requests causes few of them.
type DeferredWrites struct {
	*Store
	logger *slog.Logger

	mu       sync.Mutex
	used     map[string]use
	rejected map[string]Rejected
	signIns  map[string]signIns
	// closing says that the next write is the last.
	closing bool
}

// use is when a key was last used, and the last use that was written.
type use struct{ last, written time.Time }

// NewDeferredWrites returns deferred writes to a store. Run makes them.
func NewDeferredWrites(store *Store, logger *slog.Logger) *DeferredWrites {
	return &DeferredWrites{Store: store, logger: logger, used: map[string]use{}, rejected: map[string]Rejected{}, signIns: map[string]signIns{}}
}

// KeyUsed records that a key of the store was used now.
func (w *DeferredWrites) KeyUsed(id string) {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.used[id]
	entry.last = now
	w.used[id] = entry
}

// RecordRejection records a refused request. Between two writes, all of a source's are counted and the last are kept.
func (w *DeferredWrites) RecordRejection(_ context.Context, sourceID, reason, remoteAddr string) error {
	rejection := w.newRejection(sourceID, reason, remoteAddr)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rejected[sourceID] = joined(w.rejected[sourceID], Rejected{Count: 1, Last: []models.Rejection{rejection}})
	return nil
}

// joined adds later rejections to earlier ones.
func joined(earlier, later Rejected) Rejected {
	last := append(earlier.Last, later.Last...)
	if len(last) > keptRejections {
		last = last[len(last)-keptRejections:]
	}
	return Rejected{Count: earlier.Count + later.Count, Last: last}
}

// Run writes what was collected every second until the context ends, and once more then.
func (w *DeferredWrites) Run(ctx context.Context) {
	ticker := time.NewTicker(deferredInterval)
	defer ticker.Stop()
	healthy := true
	for {
		select {
		case <-ctx.Done():
			w.mu.Lock()
			w.closing = true
			w.mu.Unlock()
			w.write(context.WithoutCancel(ctx), &healthy)
			return
		case <-ticker.C:
			w.write(ctx, &healthy)
		}
	}
}

// write logs the first of several failures in a row: an outage has log lines enough.
func (w *DeferredWrites) write(ctx context.Context, healthy *bool) {
	ctx, cancel := context.WithTimeout(ctx, deferredTimeout)
	defer cancel()
	err := w.Flush(ctx)
	if err != nil && *healthy {
		w.logger.WarnContext(ctx, "use of keys, rejections and failed sign-ins not written; trying again", "error", err)
	}
	*healthy = err == nil
}

// Flush writes what was collected. What cannot be written is kept for the next time.
func (w *DeferredWrites) Flush(ctx context.Context) error {
	return errors.Join(w.flushUsed(ctx), w.flushRejected(ctx), w.flushSignIns(ctx))
}

func (w *DeferredWrites) flushUsed(ctx context.Context) error {
	due := w.dueUses()
	if len(due) == 0 {
		return nil
	}
	if err := w.APIKeysUsed(ctx, due); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range due {
		entry := w.used[id]
		entry.written = at
		w.used[id] = entry
	}
	return nil
}

// dueUses returns the uses to write, one a minute for each key, and removes keys that are no longer used.
func (w *DeferredWrites) dueUses() map[string]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := map[string]time.Time{}
	now := w.Now()
	for id, entry := range w.used {
		switch {
		case entry.last.Sub(entry.written) >= keyUseInterval:
			due[id] = entry.last
		case now.Sub(entry.written) >= keyUseInterval:
			delete(w.used, id)
		}
	}
	return due
}

func (w *DeferredWrites) flushRejected(ctx context.Context) error {
	w.mu.Lock()
	rejected := w.rejected
	w.rejected = map[string]Rejected{}
	w.mu.Unlock()
	var errs []error
	for id, lot := range rejected {
		if err := w.RecordRejections(ctx, id, lot); err != nil {
			errs = append(errs, err)
			w.mu.Lock()
			w.rejected[id] = joined(lot, w.rejected[id])
			w.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}
