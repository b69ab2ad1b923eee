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
	// askAgain is how long a workflow waits at least for its moment before it asks whether that still holds.
	askAgain = 10 * time.Minute
)

// slot returns the moment at which an attempt may be made under its webhook's rate limit, nil without one,
// and how long that is from now. A moment that it holds stays its own, unless it has passed or the limit was changed.
func (a *Activities) slot(ctx context.Context, webhook models.Webhook, in AttemptInput) (*models.Slot, time.Duration, error) {
	if webhook.RateLimit == nil {
		return nil, 0, nil
	}
	held := in.slot()
	if late(webhook, held, a.Now()) {
		held = nil
	}
	slot, err := a.Store.ReserveSlot(ctx, webhook.ID, *webhook.RateLimit, held)
	if err != nil {
		return nil, 0, err
	}
	return &slot, max(0, slot.At.Sub(a.Now())), nil
}

// slot is the moment that was reserved for the attempt; nil when none was.
func (in AttemptInput) slot() *models.Slot {
	if in.SlotAt == nil {
		return nil
	}
	return &models.Slot{At: *in.SlotAt, Since: in.SlotSince}
}

// at makes a detour lead to a moment under the rate limit; nil for none.
func (d Detour) at(slot *models.Slot) *Detour {
	if slot != nil {
		d.SlotAt, d.SlotSince = &slot.At, slot.Since
	}
	return &d
}

// untilAsked is how long a workflow waits for its attempt's moment before it asks again. It is told of a change of the
// rate limit; should that get lost, it finds out once it has waited as long again as it has so far: a long wait
// costs few questions.
func untilAsked(wait time.Duration, in AttemptInput, now time.Time) time.Duration {
	return max(0, min(wait-slotLead, max(askAgain, now.Sub(in.ScheduledAt))))
}

// late says that a moment has passed by so much that the request after it would come too soon.
func late(webhook models.Webhook, slot *models.Slot, now time.Time) bool {
	if slot == nil || webhook.RateLimit == nil {
		return false
	}
	return now.Sub(slot.At) > max(slotLate, time.Duration(float64(time.Second) / *webhook.RateLimit / 2))
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
