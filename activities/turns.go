package activities

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// shortestTurn and longestTurn bound how long an attempt waits that finds no room for its webhook.
	shortestTurn, longestTurn = time.Second, 30 * time.Minute
	// longestFirstTurn is the longest while the webhook has kept requests waiting, or failed, for half as long.
	longestFirstTurn = time.Minute
)

// turns are when the last of those that found no room for their webhook is to ask again, by webhook ID.
type turns map[string]time.Time

// turn is how long an attempt waits that finds no room in the slow lane. Each gets a turn of its own, as far behind
// the one before as a place is likely to become free: those that wait must not cost Temporal more than those
// that are made. Nobody waits for much longer than the trouble has lasted so far.
func (l *Lanes) turn(webhookID string, health models.WebhookHealth, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := &l.slow
	var trouble time.Duration
	if under := lane.busy[webhookID]; len(under) > 0 {
		trouble = now.Sub(under[0])
	}
	takes := max(trouble, models.SlowAttempt)
	if health.FirstFailureAt != nil {
		trouble = max(trouble, now.Sub(*health.FirstFailureAt))
	}
	maps.DeleteFunc(l.turns, func(_ string, at time.Time) bool { return !at.After(now) })
	wait := max(0, l.turns[webhookID].Sub(now)) + max(shortestTurn, takes/time.Duration(max(1, lane.limit(l.concurrency))))
	if longest := min(max(2*trouble, longestFirstTurn), longestTurn); wait > longest {
		return longest/2 + rand.N(longest/2) //nolint:gosec // spreads attempts, guards nothing
	}
	if l.turns == nil {
		l.turns = turns{}
	}
	l.turns[webhookID] = now.Add(wait)
	return wait
}
