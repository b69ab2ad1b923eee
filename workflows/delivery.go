package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Delivery brings one event to one webhook. It ends completed when the receiver has it, failed with
// DeliveryExhausted when the schedule is used up, canceled when someone cancels it or the webhook is gone.
func Delivery(ctx workflow.Context, in contract.DeliveryInput) error {
	d, err := newDelivery(ctx, in)
	if err != nil {
		return err
	}
	err = d.run(ctx)
	d.dropReleases() // nothing waits any more
	return err
}

// delivery is the state of a run.
type delivery struct {
	id                string
	resends, releases workflow.ReceiveChannel
	// recovered says that a recovery started this run, resent that a resend did after the run before was cancelled, and
	// turn that the queue came to a delivery that a recovery had put into it.
	recovered, resent, turn bool
	// early says that a resend was signalled before the first attempt and its signal has not been received yet.
	early bool
	// sequence counts the attempts of this run, failures those of the schedule that failed.
	sequence int
	failures int
	last     activities.AttemptResult
	// retry is the timer of the next scheduled attempt while the delivery waits.
	retry *retryTimer
	// patched says whether this run has a patch: see patches.go.
	patched func(ctx workflow.Context, patch string) bool
}

// do names activities by method; it is never called.
var do *activities.Activities

func newDelivery(ctx workflow.Context, in contract.DeliveryInput) (*delivery, error) {
	if err := typeid.Check(typeid.KindDelivery, in.DeliveryID); err != nil {
		return nil, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("the input's delivery_id is no delivery: %s", err), "BadInput", nil)
	}
	d := &delivery{
		id:        in.DeliveryID,
		resends:   workflow.GetSignalChannel(ctx, contract.SignalResend),
		releases:  workflow.GetSignalChannel(ctx, contract.SignalRelease),
		recovered: in.RecoveryID != "" || in.Turn,
		resent:    in.Resend,
		turn:      in.Turn,
		patched:   patched,
	}
	d.last.Status = models.StatusPending
	return d, workflow.SetQueryHandler(ctx, contract.QueryStatus, d.status)
}

// run goes through the schedule, and again for a resend that arrives as it ends. After a cancellation a new run makes
// the resend, so that it can be cancelled again.
func (d *delivery) run(ctx workflow.Context) error {
	trigger := models.TriggerSchedule
	if d.early = !d.recovered && !d.resent && d.resends.Len() > 0; d.early || d.recovered || d.resent {
		trigger = models.TriggerResend
	}
	err := d.deliver(ctx, trigger)
	for ctx.Err() == nil && d.receiveResend() {
		d.failures, d.retry = 0, nil
		err = d.deliver(ctx, models.TriggerResend)
	}
	if ctx.Err() != nil && d.resendCounts() && d.patched(ctx, patchResendAfterCancel) {
		return workflow.NewContinueAsNewError(ctx, Delivery, contract.DeliveryInput{DeliveryID: d.id, Resend: true})
	}
	return err
}

// deliver makes attempts until one succeeds, the schedule ends or someone cancels.
func (d *delivery) deliver(ctx workflow.Context, trigger models.Trigger) error {
	err := d.attempt(ctx, trigger)
	for err == nil && d.last.Status == models.StatusFailed {
		if trigger, err = d.wait(ctx); err == nil {
			err = d.attempt(ctx, trigger)
		}
	}
	if temporal.IsCanceledError(err) {
		return d.cancel(ctx, err)
	}
	if err != nil {
		return err
	}
	switch d.last.Status {
	case models.StatusDelivered:
		return nil
	case models.StatusCancelled:
		return temporal.NewCanceledError(d.last.CancelReason)
	default:
		return d.giveUp(ctx)
	}
}

// attempt makes one attempt. A cancellation does not interrupt a request that is on its way; an attempt that has not
// begun is not made.
func (d *delivery) attempt(cancellable workflow.Context, trigger models.Trigger) error {
	ctx, _ := workflow.NewDisconnectedContext(cancellable)
	d.sequence++
	in := activities.AttemptInput{
		DeliveryID: d.id, Trigger: trigger, Sequence: d.sequence, Failures: d.failures, Slow: d.last.Sick,
		Turn:        d.turn,
		ScheduledAt: workflow.GetInfo(ctx).WorkflowStartTime,
	}
	if d.sequence > 1 {
		in.ScheduledAt = workflow.Now(ctx)
	}
	extra := d.retry != nil
	if extra {
		in.ResumeAt = &d.retry.at
	}
	if d.sequence > 1 {
		d.dropReleases() // the attempt reads the webhook anew; a first one may use what was read when it was published
	}
	result, err := d.send(ctx, cancellable.Done(), in)
	d.receiveEarly(ctx, result)
	for err == nil && result.Detour != nil {
		if err = d.awaitCapacity(cancellable, &in, *result.Detour); err == nil {
			result, err = d.send(ctx, cancellable.Done(), in)
		}
	}
	if err != nil {
		return err
	}
	if result.Unrecorded {
		if result, err = d.record(ctx, result); err != nil {
			return err
		}
	}
	if !extra && result.Status == models.StatusFailed {
		d.failures++
	}
	d.last = result
	if result.Change == models.ChangeFailing || result.Change == models.ChangeDisabled {
		return d.notify(ctx, result.Change)
	}
	return nil
}

// awaitCapacity waits until the webhook has capacity. A resend signal ends the wait, except under a rate limit; so does
// a change of the webhook. The attempt then decides anew whether it may go.
func (d *delivery) awaitCapacity(ctx workflow.Context, in *activities.AttemptInput, detour activities.Detour) error {
	in.Slow, in.ReservedAt, in.ReservedSince = detour.Slow, detour.ReservedAt, detour.ReservedSince
	in.Detours++
	if detour.WaitMS == 0 {
		return ctx.Err()
	}
	d.tellDetour(ctx, detour)
	timerCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	var err error
	over := false
	selector := workflow.NewSelector(ctx)
	timer := workflow.NewTimerWithOptions(timerCtx, detour.Wait(), withDetourOptions(detour))
	selector.AddFuture(timer, func(timer workflow.Future) { over, err = true, timer.Get(ctx, nil) })
	selector.AddReceive(d.resends, func(workflow.ReceiveChannel, bool) {
		if d.cancelledToo(ctx) {
			over, err = true, ctx.Err()
			return
		}
		d.receiveResend()
		if over = detour.ReservedAt == nil || d.patched(ctx, patchResendUnderLimit); over {
			in.Trigger = models.TriggerResend
		}
	})
	selector.AddReceive(d.releases, func(workflow.ReceiveChannel, bool) {
		d.dropReleases()
		over, in.Slow = true, false
	})
	for !over {
		selector.Select(ctx)
	}
	return err
}

// send makes a run's first attempt inside the workflow task and all others as activities of their own. A cancellation
// gives up an activity that still waits for a worker.
func (d *delivery) send(ctx workflow.Context, cancelled workflow.ReceiveChannel, in activities.AttemptInput) (activities.AttemptResult, error) {
	var result activities.AttemptResult
	if d.sequence == 1 && in.Detours == 0 {
		err := workflow.ExecuteLocalActivity(withFirstSendOptions(ctx), do.Deliver, in).Get(ctx, &result)
		if err == nil || final(err) {
			return result, err
		}
	}
	d.tellAttempt(ctx)
	summary := fmt.Sprintf("attempt %d", d.last.Number+1)
	ctx, giveUpWaiting := workflow.WithCancel(ctx)
	// A recovery's first attempts are resends too, but nobody waits for each of them.
	asked := in.Trigger == models.TriggerResend && (d.sequence > 1 || !d.recovered)
	attempt := workflow.ExecuteActivity(withSendOptions(ctx, in.Slow, asked, summary), do.Deliver, in)
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(attempt, func(workflow.Future) {})
	selector.AddReceive(cancelled, func(workflow.ReceiveChannel, bool) {
		if d.patched(ctx, patchCancelUnstarted) {
			giveUpWaiting()
		}
	})
	selector.Select(ctx)
	err := attempt.Get(ctx, &result)
	return result, err
}

// record writes an attempt that was made while the log could not be written. The time that this takes counts as part of
// the wait for the next attempt.
func (d *delivery) record(ctx workflow.Context, result activities.AttemptResult) (activities.AttemptResult, error) {
	made := workflow.Now(ctx)
	in := activities.RecordInput{DeliveryID: d.id, Result: result}
	var recorded activities.RecordResult
	err := workflow.ExecuteActivity(withDatabaseOptions(ctx), do.RecordAttempt, in).Get(ctx, &recorded)
	result.Change = recorded.Change
	result.WaitMS = max(0, result.WaitMS-workflow.Now(ctx).Sub(made).Milliseconds())
	result.Unrecorded = false
	if recorded.Superseded {
		result.Supersede()
	}
	return result, err
}

// retryTimer is the wait for a scheduled attempt.
type retryTimer struct {
	at   time.Time
	done workflow.Future
	stop workflow.CancelFunc
}

// wait waits until the next scheduled attempt is due or a resend is signalled, and returns the trigger of the attempt
// that follows. A resend leaves the timer running: if its attempt fails, the rest of the wait follows. A new receiver
// gets such an extra attempt too, because it need not wait for what was wrong with the one before.
func (d *delivery) wait(ctx workflow.Context) (models.Trigger, error) {
	if next := *d.last.NextAttemptAt; d.retry == nil || next.After(d.retry.at) {
		d.startTimer(ctx, next)
	}
	d.tellWait(ctx, d.retry.at)
	var trigger models.Trigger
	var err error
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(d.retry.done, func(timer workflow.Future) {
		d.retry, trigger, err = nil, models.TriggerSchedule, timer.Get(ctx, nil)
	})
	selector.AddReceive(d.resends, func(workflow.ReceiveChannel, bool) {
		if trigger = models.TriggerResend; d.cancelledToo(ctx) {
			err = ctx.Err()
			return
		}
		d.receiveResend()
	})
	selector.AddReceive(d.releases, func(workflow.ReceiveChannel, bool) {
		if d.newReceiver() {
			trigger = models.TriggerSchedule
		}
	})
	for trigger == "" {
		selector.Select(ctx)
	}
	return trigger, err
}

func (d *delivery) startTimer(ctx workflow.Context, at time.Time) {
	if d.retry != nil {
		d.retry.stop()
	}
	timerCtx, stop := workflow.WithCancel(ctx)
	summary := fmt.Sprintf("retry %d of %d", d.last.Retry, d.last.Retries)
	timer := workflow.NewTimerWithOptions(timerCtx, d.last.Wait(), workflow.TimerOptions{Summary: summary})
	d.retry = &retryTimer{at: at, done: timer, stop: stop}
}

// cancel records that the delivery was cancelled while it waited.
func (d *delivery) cancel(ctx workflow.Context, cause error) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	d.last.Status, d.last.CancelReason = models.StatusCancelled, "cancelled on request"
	in := activities.CancelInput{DeliveryID: d.id, Reason: d.last.CancelReason}
	if err := workflow.ExecuteActivity(withDatabaseOptions(ctx), do.RecordCancellation, in).Get(ctx, nil); err != nil {
		return err
	}
	return cause
}

// giveUp notifies the owner, with a workflow of its own that outlives this one, and fails.
func (d *delivery) giveUp(ctx workflow.Context) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	// A notice that the webhook was disabled has just told the owner.
	if d.last.Notify && d.last.Change != models.ChangeDisabled {
		if err := d.notify(ctx, ""); err != nil {
			return err
		}
	}
	return temporal.NewNonRetryableApplicationError(
		fmt.Sprintf("gave up after attempt %d: %s", d.last.Number, d.last.Error), contract.ErrTypeDeliveryExhausted, nil)
}

// notify starts the workflow that notifies the owner of the delivery's final failure, or of a change of its webhook's
// health.
func (d *delivery) notify(ctx workflow.Context, change models.HealthChange) error {
	in := contract.NotificationInput{DeliveryID: d.id, Attempt: d.last.Number, Change: string(change)}
	child := workflow.ExecuteChildWorkflow(withNotificationOptions(ctx, in), Notification, in)
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return fmt.Errorf("notify owner: %w", err)
	}
	return nil
}

// status answers QueryStatus.
func (d *delivery) status() (contract.DeliveryStatus, error) {
	return contract.DeliveryStatus{
		DeliveryID: d.id, Status: string(d.last.Status), Attempts: d.last.Number,
		Retry: d.last.Retry, Retries: d.last.Retries, NextAttemptAt: d.last.NextAttemptAt,
		LastStatusCode: d.last.StatusCode, LastErrorClass: string(d.last.ErrorClass), LastError: d.last.Error,
	}, nil
}
