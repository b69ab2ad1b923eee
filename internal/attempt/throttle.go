package attempt

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// minThrottle and maxThrottle bound for how long first attempts keep away from a receiver that seems to be
	// overloaded and does not say for how long.
	minThrottle = 10 * time.Second
	maxThrottle = 10 * time.Minute
	// maxHeld is for how long a delivery's first attempt is held back at most. Then its own schedule takes over.
	maxHeld = time.Hour
)

// throttledUntil is until when other deliveries' first attempts keep away from a webhook after an attempt; nil when they
// need not. A Retry-After counts at once. Without one it takes a second failure in a row, by which the receiver seems to
// be overloaded, and the pause is as long as the failures have gone on.
func (m *Maker) throttledUntil(health models.WebhookHealth, attempt models.Attempt, asked time.Duration) *time.Time {
	now := m.nowInMS()
	if asked == 0 && overloaded(attempt) && health.FirstFailureAt != nil {
		asked = min(max(minThrottle, now.Sub(*health.FirstFailureAt)), maxThrottle)
	}
	if asked == 0 {
		return nil
	}
	until := now.Add(min(asked, maxHeld))
	return &until
}

// overloaded says that the receiver, or a proxy before it, seems to have too much to do.
func overloaded(attempt models.Attempt) bool {
	if attempt.StatusCode == nil {
		return false
	}
	switch *attempt.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// throttledFor is for how long a first attempt keeps away from its webhook. The waits are spread, so that what was held
// back does not come all at once, but nothing is held back for longer than maxHeld in all.
func throttledFor(job models.Job, in Input, now time.Time) time.Duration {
	until := job.Health.ThrottledUntil
	if until == nil || job.Delivery.Status != models.StatusPending || in.Trigger != models.TriggerSchedule {
		return 0
	}
	since := job.Delivery.CreatedAt
	if due := job.Event.Due(); due != nil {
		since = *due
	}
	left := since.Add(maxHeld).Sub(now)
	wait := min(until.Sub(now), left)
	if wait < time.Millisecond { // which is the unit of waits
		return 0
	}
	return min(wait+rand.N(wait/2+time.Second), left) //nolint:gosec // spreads attempts, guards nothing
}
