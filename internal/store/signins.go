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
	// signInAddresses is how many addresses are told apart in that time. What comes from more is counted together, so
	// that whoever has many addresses cannot fill the trail.
	signInAddresses = 20
)

// signIns are the failed sign-ins of one address.
type signIns struct {
	// count is how many are not written yet.
	count   int64
	written time.Time
}

// RecordFailedSignIn notes a request without a valid key. Those of one address and minute become one entry.
func (n *Notebook) RecordFailedSignIn(_ context.Context, address string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.signIns[address]; !known && len(n.signIns) >= signInAddresses {
		address = ""
	}
	entry := n.signIns[address]
	entry.count++
	n.signIns[address] = entry
	return nil
}

// flushSignIns writes what is due: the first failure of an address at once, what follows after a minute; all when the
// notebook is closed.
func (n *Notebook) flushSignIns(ctx context.Context) error {
	var errs []error
	for address, count := range n.dueSignIns() {
		if err := n.RecordAudit(ctx, &models.AuditEntry{Action: models.ActionSignInFailed, Address: address, Count: count}); err != nil {
			errs = append(errs, err)
			n.mu.Lock()
			entry := n.signIns[address]
			n.signIns[address] = signIns{count: entry.count + count}
			n.mu.Unlock()
			continue
		}
		n.logger.WarnContext(ctx, "audit", "action", models.ActionSignInFailed, "address", address, "count", count)
	}
	return errors.Join(errs...)
}

// dueSignIns takes the counts that are to be written. It forgets addresses that were quiet for a minute.
func (n *Notebook) dueSignIns() map[string]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	due := map[string]int64{}
	now := n.Now()
	for address, entry := range n.signIns {
		switch {
		case !n.closing && now.Sub(entry.written) < signInInterval:
		case entry.count == 0:
			delete(n.signIns, address)
		default:
			due[address] = entry.count
			n.signIns[address] = signIns{written: now}
		}
	}
	return due
}
