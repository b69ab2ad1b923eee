package activities

import (
	"context"
	"time"

	"github.com/postrider/postrider/models"
)

const (
	// slotLead is how early an attempt under a rate limit comes, to wait for its moment in the process: a
	// durable timer is not exact enough.
	slotLead = 2 * time.Second
	// slotLate is how late it may be, or half of the time between two requests where that is longer. One that
	// comes later takes a new moment.
	slotLate = 100 * time.Millisecond
)

// slot returns the moment at which an attempt may be made under its webhook's rate limit, nil without one,
// and how long that is from now.
func (a *Activities) slot(ctx context.Context, webhook models.Webhook, in AttemptInput) (*time.Time, time.Duration, error) {
	if webhook.RateLimit == nil {
		return nil, 0, nil
	}
	if in.SlotAt != nil && !late(webhook, in.SlotAt, a.Now()) {
		return in.SlotAt, max(0, in.SlotAt.Sub(a.Now())), nil
	}
	slot, err := a.Store.ReserveSlot(ctx, webhook.ID, *webhook.RateLimit)
	if err != nil {
		return nil, 0, err
	}
	return &slot, max(0, slot.Sub(a.Now())), nil
}

// late says that a moment has passed by so much that the request after it would come too soon.
func late(webhook models.Webhook, slot *time.Time, now time.Time) bool {
	if slot == nil || webhook.RateLimit == nil {
		return false
	}
	return now.Sub(*slot) > max(slotLate, time.Duration(float64(time.Second) / *webhook.RateLimit / 2))
}

// sleep waits unless the attempt ends first.
func (a *Activities) sleep(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
