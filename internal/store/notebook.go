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
	// notebookInterval is how often a notebook is written down: the most that a crash loses.
	notebookInterval = time.Second
	// notebookTimeout bounds one writing.
	notebookTimeout = 10 * time.Second
)

// Notebook is a store that notes what requests leave behind and writes it down later, so that no request
// waits for it or fails with it, and a flood of requests is no flood of writes: that a key was used,
// that a key was not valid, and that a source refused a request.
type Notebook struct {
	*Store
	logger *slog.Logger

	mu       sync.Mutex
	used     map[string]use
	rejected map[string]models.Rejected
	signIns  map[string]signIns
	// closing says that the next writing is the last.
	closing bool
}

// use is what is known of a key's use: the last, and the last that was written.
type use struct{ last, written time.Time }

// NewNotebook returns a notebook over a store. Run writes it.
func NewNotebook(store *Store, logger *slog.Logger) *Notebook {
	return &Notebook{Store: store, logger: logger, used: map[string]use{}, rejected: map[string]models.Rejected{}, signIns: map[string]signIns{}}
}

// KeyUsed notes that a key of the store was used now.
func (n *Notebook) KeyUsed(id string) {
	now := n.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	entry := n.used[id]
	entry.last = now
	n.used[id] = entry
}

// RecordRejection notes a refused request. Of those between two writings of a source all are counted and the
// last are kept.
func (n *Notebook) RecordRejection(_ context.Context, sourceID, reason, remoteAddr string) error {
	rejection := n.newRejection(sourceID, reason, remoteAddr)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rejected[sourceID] = joined(n.rejected[sourceID], models.Rejected{Count: 1, Last: []models.Rejection{rejection}})
	return nil
}

// joined puts two lots of rejections together, the earlier first.
func joined(earlier, later models.Rejected) models.Rejected {
	last := append(earlier.Last, later.Last...)
	if len(last) > keptRejections {
		last = last[len(last)-keptRejections:]
	}
	return models.Rejected{Count: earlier.Count + later.Count, Last: last}
}

// Run writes the notebook down every second until the context ends, and once more then.
func (n *Notebook) Run(ctx context.Context) {
	ticker := time.NewTicker(notebookInterval)
	defer ticker.Stop()
	healthy := true
	for {
		select {
		case <-ctx.Done():
			n.mu.Lock()
			n.closing = true
			n.mu.Unlock()
			n.write(context.WithoutCancel(ctx), &healthy)
			return
		case <-ticker.C:
			n.write(ctx, &healthy)
		}
	}
}

// write says the first failure of a row only: an outage has log lines enough.
func (n *Notebook) write(ctx context.Context, healthy *bool) {
	ctx, cancel := context.WithTimeout(ctx, notebookTimeout)
	defer cancel()
	err := n.Flush(ctx)
	if err != nil && *healthy {
		n.logger.WarnContext(ctx, "use of keys, rejections and failed sign-ins not written; trying again", "error", err)
	}
	*healthy = err == nil
}

// Flush writes down what was noted. What cannot be written stays noted.
func (n *Notebook) Flush(ctx context.Context) error {
	return errors.Join(n.flushUsed(ctx), n.flushRejected(ctx), n.flushSignIns(ctx))
}

func (n *Notebook) flushUsed(ctx context.Context) error {
	due := n.dueUses()
	if len(due) == 0 {
		return nil
	}
	if err := n.APIKeysUsed(ctx, due); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, at := range due {
		entry := n.used[id]
		entry.written = at
		n.used[id] = entry
	}
	return nil
}

// dueUses returns the uses to write: of each key one a minute. It forgets keys that are no longer used.
func (n *Notebook) dueUses() map[string]time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	due := map[string]time.Time{}
	now := n.Now()
	for id, entry := range n.used {
		switch {
		case entry.last.Sub(entry.written) >= models.KeyUseInterval:
			due[id] = entry.last
		case now.Sub(entry.written) >= models.KeyUseInterval:
			delete(n.used, id)
		}
	}
	return due
}

func (n *Notebook) flushRejected(ctx context.Context) error {
	n.mu.Lock()
	rejected := n.rejected
	n.rejected = map[string]models.Rejected{}
	n.mu.Unlock()
	var errs []error
	for id, lot := range rejected {
		if err := n.RecordRejections(ctx, id, lot); err != nil {
			errs = append(errs, err)
			n.mu.Lock()
			n.rejected[id] = joined(lot, n.rejected[id])
			n.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}
