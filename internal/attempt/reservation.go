package attempt

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// askAgain is how long a workflow waits at least for its moment before it asks whether that still holds.
const askAgain = 10 * time.Minute

// reserve returns the moment at which an attempt may be made under its webhook's rate limit, nil without one, and how
// long that is from now. An attempt keeps the moment that it holds, unless it has passed or the limit was changed.
func (m *Maker) reserve(ctx context.Context, webhook models.Webhook, in Input) (*models.Reservation, time.Duration, error) {
	if webhook.RateLimit == nil {
		return nil, 0, nil
	}
	held := in.reservation()
	if late(webhook, held, m.Now()) {
		held = nil
	}
	reservation, err := m.Store.ReserveRequest(ctx, webhook.ID, *webhook.RateLimit, held)
	if err != nil {
		return nil, 0, err
	}
	return &reservation, max(0, reservation.At.Sub(m.Now())), nil
}

// reservation is the moment that was reserved for the attempt; nil when none was.
func (in Input) reservation() *models.Reservation {
	if in.ReservedAt == nil {
		return nil
	}
	return &models.Reservation{At: *in.ReservedAt, Since: in.ReservedSince}
}

// at adds a reservation to a detour; nil adds none.
func (d Detour) at(reservation *models.Reservation) *Detour {
	if reservation != nil {
		d.ReservedAt, d.ReservedSince = &reservation.At, reservation.Since
	}
	return &d
}

// untilAsked is how long a workflow waits for its attempt's moment before it asks again. A change of the rate limit is
// signalled to it; if the signal gets lost, the workflow finds out once it has waited as long again as it has so far: a
// long wait costs few questions.
func untilAsked(wait time.Duration, in Input, now time.Time) time.Duration {
	return max(0, min(wait-timing.ReservationLead, max(askAgain, now.Sub(in.ScheduledAt))))
}

// late says that a moment has passed by so much that the request after it would come too soon.
func late(webhook models.Webhook, reservation *models.Reservation, now time.Time) bool {
	if reservation == nil || webhook.RateLimit == nil {
		return false
	}
	return now.Sub(reservation.At) > max(timing.ReservationLate, time.Duration(float64(time.Second) / *webhook.RateLimit / 2))
}
