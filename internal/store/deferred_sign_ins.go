package store

import (
	"context"
	"errors"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// signInInterval is how often the failed sign-ins of one address are written.
	signInInterval = time.Minute
	// signInAddresses is how many addresses are counted apart in that time. All others are counted together, so that an
	// attacker with many addresses cannot fill the trail.
	signInAddresses = 20
)

// signIns are the failed sign-ins of one address.
type signIns struct {
	// count is how many are not written yet.
	count   int64
	written time.Time
}

// RecordFailedSignIn records a request without a valid key. Those of one address and minute become one entry.
func (w *DeferredWrites) RecordFailedSignIn(_ context.Context, address string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.signIns[address]; !known && len(w.signIns) >= signInAddresses {
		address = ""
	}
	entry := w.signIns[address]
	entry.count++
	w.signIns[address] = entry
	return nil
}

// flushSignIns writes what is due: the first failure of an address at once, later ones after a minute, and all of them in
// the last write.
func (w *DeferredWrites) flushSignIns(ctx context.Context) error {
	var errs []error
	for address, count := range w.dueSignIns() {
		if err := w.RecordAudit(ctx, &models.AuditEntry{Action: models.ActionSignInFailed, Address: address, Count: count}); err != nil {
			errs = append(errs, err)
			w.mu.Lock()
			entry := w.signIns[address]
			w.signIns[address] = signIns{count: entry.count + count}
			w.mu.Unlock()
			continue
		}
		w.logger.WarnContext(ctx, "audit", "action", models.ActionSignInFailed, "address", address, "count", count)
	}
	return errors.Join(errs...)
}

// dueSignIns returns the counts to write, and removes addresses that were quiet for a minute.
func (w *DeferredWrites) dueSignIns() map[string]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := map[string]int64{}
	now := w.Now()
	for address, entry := range w.signIns {
		switch {
		case !w.closing && now.Sub(entry.written) < signInInterval:
		case entry.count == 0:
			delete(w.signIns, address)
		default:
			due[address] = entry.count
			w.signIns[address] = signIns{written: now}
		}
	}
	return due
}
