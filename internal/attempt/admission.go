package attempt

import (
	"context"
	"strconv"
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// admission is the answer to whether an attempt may go now.
type admission struct {
	// slot is taken for the request; nil for a test, which needs none.
	slot *slot
	// detour, unless nil, is where and when the attempt is made instead.
	detour *Detour
	// postpone asks for the detour to be written to the delivery, so that the sweep leaves it alone.
	postpone bool
}

// elsewhere sends an attempt on a detour.
func elsewhere(detour *Detour) admission { return admission{detour: detour, postpone: true} }

// admit decides whether an attempt may go now, and if so takes a slot for its request. What stands in the way is
// looked at in this order: the first attempt, which another process may be making; the deliveries before this one, where the
// webhook is ordered; a receiver that is overloaded; the
// webhook's lane; its rate limit.
func (m *Maker) admit(ctx context.Context, job models.Job, in Input, run Run) (admission, error) {
	if run.ID == "" {
		return m.admitFirst(ctx, job, in), nil
	}
	if wait := firstUnderWay(job, in, m.Now()); wait > 0 {
		return admission{detour: &Detour{WaitMS: wait.Milliseconds()}}, nil
	}
	if detour, err := m.awaitTurn(ctx, job, in, run); detour != nil || err != nil {
		return admission{detour: detour}, err
	}
	if job.Delivery.Test && in.Trigger != models.TriggerResend {
		return admission{}, nil // a person waits for it
	}
	if wait := throttledFor(job, in, m.Now()); wait > 0 {
		return elsewhere(&Detour{Slow: true, Throttled: true, WaitMS: wait.Milliseconds()}), nil
	}
	receiver := receiverOf(job)
	if !in.Slow && job.Health.Sick(m.Now()) || !m.Lanes.hasRoom(receiver, in.Slow, m.Now()) {
		return m.toSlowLane(job, receiver, in.reservation()), nil
	}
	reservation, wait, err := m.reserve(ctx, job.Webhook, in)
	if err != nil {
		return admission{}, err
	}
	if wait > timing.ReservationLead || wait > timing.ReservationLate && run.Local {
		wait = untilAsked(wait, in, m.Now())
		return elsewhere(Detour{Slow: in.Slow, WaitMS: wait.Milliseconds()}.at(reservation)), nil
	}
	if err := timing.Wait(ctx, wait); err != nil {
		return admission{}, err
	}
	if late(job.Webhook, reservation, m.Now()) {
		return elsewhere(&Detour{Slow: in.Slow}), nil
	}
	if slot := m.Lanes.take(receiver, in.Slow, m.Now()); slot != nil {
		return admission{slot: slot}, nil
	}
	return m.toSlowLane(job, receiver, reservation), nil
}

// admitFirst decides the same for a first attempt without a workflow. Any wait that is longer than for a slot is left
// to the workflow.
func (m *Maker) admitFirst(ctx context.Context, job models.Job, in Input) admission {
	now := m.Now()
	if !job.Delivery.Test && !job.Delivery.Queued() && job.Webhook.RateLimit == nil && !job.Health.Sick(now) && throttledFor(job, in, now) == 0 {
		if slot := m.Lanes.takeSoon(ctx, receiverOf(job), m.Now); slot != nil {
			return admission{slot: slot}
		}
	}
	return admission{detour: &Detour{}}
}

// receiverOf names the receiver whose requests the lanes count: a webhook's, until its URL is changed.
func receiverOf(job models.Job) string {
	if job.Health.Receiver == 0 {
		return job.Webhook.ID
	}
	return job.Webhook.ID + "/" + strconv.Itoa(job.Health.Receiver)
}

// toSlowLane sends an attempt to the slow lane. When there is no room for its webhook either, the attempt waits first:
// that costs Temporal less than an attempt that finds no slot.
func (m *Maker) toSlowLane(job models.Job, receiver string, reservation *models.Reservation) admission {
	if m.Lanes.hasRoom(receiver, true, m.Now()) {
		return elsewhere(Detour{Slow: true}.at(reservation))
	}
	return elsewhere(&Detour{Slow: true, WaitMS: m.Lanes.recheckAfter(receiver, job.Health, m.Now()).Milliseconds()})
}

// takeDetour returns a detour to the workflow. A delivery without an attempt is leased until it is due, so that the
// sweep does not start it.
func (m *Maker) takeDetour(ctx context.Context, job models.Job, admission admission) (Result, error) {
	detour := admission.detour
	if admission.postpone && job.Delivery.Status == models.StatusPending {
		now := m.nowInMS()
		due := now.Add(detour.Wait())
		if detour.ReservedAt != nil && detour.ReservedAt.After(due) {
			due = *detour.ReservedAt
		}
		leasedUntil := now.Add(timing.Postpone)
		if due.After(leasedUntil) {
			leasedUntil = due
		}
		if err := m.Store.Postpone(ctx, job.Delivery.ID, due, leasedUntil); err != nil {
			return Result{}, err
		}
	}
	return Result{Decision: Decision{Status: job.Delivery.Status}, Detour: detour}, nil
}

// firstUnderWay is how long a resend waits because the process that published the event may be making the first attempt
// without a workflow: two requests would have the number 1. If that process dies, its lease ends. Other attempts need
// not wait: that process starts their workflow when it is done, and the sweep keeps to the lease.
func firstUnderWay(job models.Job, in Input, now time.Time) time.Duration {
	left := job.Delivery.LeftFor(now)
	if in.Trigger != models.TriggerResend || left == 0 {
		return 0
	}
	return min(left+time.Millisecond, timing.LookAgain) // a millisecond is the unit of waits
}
