package activities

import (
	"context"
	"time"

	"github.com/postrider/postrider/models"
)

// recordAgain lies between two tries to record an attempt that was made without a workflow.
const recordAgain = time.Second

// FirstAttempts are what the process that publishes events does for their first attempts. It is a type of its
// own because all methods of Activities are activities.
type FirstAttempts struct{ *Activities }

// Expect tells of deliveries that were just published and whose workflows are about to start: their first
// attempts, where they are made in this process, need not load them again.
func (a FirstAttempts) Expect(dispatches []models.Job) { a.Fresh.keep(dispatches, a.Now()) }

// DeliverDirectly makes the first attempt of a delivery without a workflow, and records it as Deliver does. It
// returns false when the delivery needs its workflow from here: to make the next attempt, to tell the owner of
// the last, or to make the first one, because the webhook is slow, fails, is overloaded or has a rate limit. It
// goes on trying until the attempt is recorded or the context ends.
func (a FirstAttempts) DeliverDirectly(ctx context.Context, dispatch models.Job) bool {
	in := AttemptInput{DeliveryID: dispatch.Delivery.ID, Trigger: models.TriggerSchedule, Sequence: 1}
	if dispatch.Delivery.Test || dispatch.Webhook.RateLimit != nil || dispatch.Health.Sick(a.Now()) ||
		throttle(dispatch, in, a.Now()) > 0 {
		return false
	}
	leave, ok := a.Lanes.enterSoon(ctx, laneOf(dispatch), a.Now)
	if !ok {
		return false
	}
	defer leave()
	attempt, header, err := a.send(ctx, dispatch, in, models.FirstAttemptID(in.DeliveryID))
	if err != nil {
		a.Logger.WarnContext(ctx, "first attempt not made; its workflow makes it", "delivery_id", in.DeliveryID, "error", err)
		return false
	}
	result := a.decide(dispatch, in, attempt, header)
	outcome := outcomeOf(result, in.DeliveryID, "", attempt.ResponseBody)
	outcome.Health = dispatch.Health
	recorded := a.recordAtLast(ctx, outcome)
	result.Change = recorded.Change
	a.report(ctx, dispatch, result)
	return result.Status == models.StatusDelivered || recorded.Superseded
}

// recordAtLast records an outcome however long that takes: the receiver must not be called again because our
// database was away.
func (a *Activities) recordAtLast(ctx context.Context, outcome models.Outcome) models.Recorded {
	for {
		recorded, err := a.record(ctx, outcome)
		if err == nil {
			return recorded
		}
		a.Logger.WarnContext(ctx, "attempt not recorded yet", "delivery_id", outcome.Attempt.DeliveryID, "error", err)
		if a.sleep(ctx, recordAgain) != nil {
			return models.Recorded{}
		}
	}
}

// lookAgain is how long a resend waits at most before it looks again whether the first attempt has been made.
const lookAgain = 2 * time.Second

// behindFirst makes a resend wait while the process that published the event may be making the first attempt without
// a workflow: two requests would have the number 1. When that process dies, its lease ends. Other attempts need not
// wait: that process starts their workflow when it is done, and the sweep keeps to the lease.
func behindFirst(dispatch models.Job, in AttemptInput, now time.Time) *Detour {
	left := dispatch.Delivery.LeftFor(now)
	if in.Trigger != models.TriggerResend || left == 0 {
		return nil
	}
	wait := min(left+time.Millisecond, lookAgain) // a millisecond is the unit of waits
	return &Detour{WaitMS: wait.Milliseconds()}
}

// madeDirectly says that the first attempt was made without a workflow, which this run takes over.
func madeDirectly(dispatch models.Job, in AttemptInput) bool {
	return in.Sequence == 1 && in.Trigger == models.TriggerSchedule &&
		dispatch.Delivery.AttemptCount > 0 && dispatch.Delivery.RunID == ""
}
