package attempt

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// shortestRecheck and longestRecheck bound how long an attempt waits that finds no room for its webhook.
	shortestRecheck, longestRecheck = time.Second, 30 * time.Minute
	// longestEarlyRecheck is the longest while the webhook has kept requests waiting, or failed, for half as long.
	longestEarlyRecheck = time.Minute
)

// rechecks are when the last of those that found no room for their receiver is to look again, by receiver.
type rechecks map[string]time.Time

// recheckAfter is how long an attempt waits that finds no room in the slow lane, before it looks again. The attempts of
// one receiver look one after the other, as far apart as a slot is likely to become free: attempts that wait must not
// cost Temporal more than attempts that are made. None waits for much longer than the trouble has lasted so far.
func (l *Lanes) recheckAfter(receiver string, health models.WebhookHealth, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := &l.slow
	var trouble time.Duration
	if under := lane.busy[receiver]; under.count > 0 {
		trouble = now.Sub(under.oldest.since)
	}
	takes := max(trouble, models.SlowAttempt)
	if health.FirstFailureAt != nil {
		trouble = max(trouble, now.Sub(*health.FirstFailureAt))
	}
	maps.DeleteFunc(l.rechecks, func(_ string, at time.Time) bool { return !at.After(now) })
	wait := max(0, l.rechecks[receiver].Sub(now)) + max(shortestRecheck, takes/time.Duration(max(1, lane.limit(l.concurrency))))
	if longest := min(max(2*trouble, longestEarlyRecheck), longestRecheck); wait > longest {
		return longest/2 + rand.N(longest/2) //nolint:gosec // spreads attempts, guards nothing
	}
	if l.rechecks == nil {
		l.rechecks = rechecks{}
	}
	l.rechecks[receiver] = now.Add(wait)
	return wait
}
