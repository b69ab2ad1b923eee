package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Recovery resends a webhook's deliveries, as many per second as its rate says. It ends completed when all are
// resent, canceled when someone cancels it or the webhook is gone.
//
// The database knows what is still to be done: a Recovery that begins anew, after its predecessor was
// terminated for one, goes on where that one stopped.
func Recovery(ctx workflow.Context, in contract.RecoveryInput) error {
	r, err := newRecovery(ctx, in)
	if err != nil {
		return err
	}
	return r.run(ctx)
}

// recovery is the state of a run.
type recovery struct {
	id              string
	pauses, resumes workflow.ReceiveChannel
	// pause says that the recovery is to be held back, steeredAt which request asked for that or for the opposite;
	// progress says what the database knows of it.
	pause     bool
	steeredAt time.Time
	progress  contract.RecoveryProgress
}

func newRecovery(ctx workflow.Context, in contract.RecoveryInput) (*recovery, error) {
	if err := typeid.Check(typeid.KindRecovery, in.RecoveryID); err != nil {
		return nil, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("the input's recovery_id is no recovery: %s", err), "BadInput", nil)
	}
	r := &recovery{
		id:       in.RecoveryID,
		pauses:   workflow.GetSignalChannel(ctx, contract.SignalPause),
		resumes:  workflow.GetSignalChannel(ctx, contract.SignalResume),
		pause:    in.Pause,
		progress: contract.RecoveryProgress{Status: string(models.RecoveryRunning)},
	}
	if in.Progress != nil {
		r.progress = *in.Progress
	}
	return r, workflow.SetQueryHandler(ctx, contract.QueryStatus, r.status)
}

// stands is the recovery's status as it was recorded last.
func (r *recovery) stands() models.RecoveryStatus { return models.RecoveryStatus(r.progress.Status) }

// run takes step after step until the recovery ends.
func (r *recovery) run(ctx workflow.Context) error {
	for {
		r.takeSignals(ctx)
		if ctx.Err() != nil {
			return r.cancel(ctx)
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			in := contract.RecoveryInput{RecoveryID: r.id, Pause: r.pause, Progress: &r.progress}
			return workflow.NewContinueAsNewError(ctx, Recovery, in)
		}
		if err := r.next(ctx); err != nil {
			return err
		}
		switch r.stands() {
		case models.RecoveryCompleted:
			return nil
		case models.RecoveryCancelled:
			return temporal.NewCanceledError(r.progress.Reason)
		}
	}
}

// takeSignals takes what was asked for since the last step.
func (r *recovery) takeSignals(ctx workflow.Context) {
	r.take(ctx, r.resumes, false)
	r.take(ctx, r.pauses, true)
}

// take takes all signals of a name. The request that was made last holds, where the signals tell.
func (r *recovery) take(ctx workflow.Context, signals workflow.ReceiveChannel, pause bool) {
	var argument json.RawMessage
	for signals.ReceiveAsync(&argument) {
		steer := argumentOf[contract.SteerSignal](argument)
		switch {
		case steer.At.IsZero() || !patched(ctx, patchSteerInOrder):
			r.pause = pause
		case steer.At.After(r.steeredAt):
			r.pause, r.steeredAt = pause, steer.At
		}
		argument = nil
	}
}

// next does what is to be done next.
func (r *recovery) next(ctx workflow.Context) error {
	recorded := r.stands() == models.RecoveryPaused
	switch {
	case r.pause && !recorded:
		return r.record(ctx, models.RecoveryPaused, "paused on request")
	case r.pause:
		r.wait(ctx)
		return nil
	case recorded:
		return r.record(ctx, models.RecoveryRunning, "")
	case !r.progress.Collected:
		return r.step(ctx, do.CollectRecovery, activities.RecoveryInput{RecoveryID: r.id})
	default:
		return r.page(ctx)
	}
}

// step has an activity do a part of the work. One that has begun is finished even when the recovery is
// cancelled.
func (r *recovery) step(ctx workflow.Context, activity, in any) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	var progress contract.RecoveryProgress
	if err := workflow.ExecuteActivity(withRecoverOptions(ctx), activity, in).Get(ctx, &progress); err != nil {
		return err
	}
	r.progress = progress
	workflow.SetCurrentDetails(ctx, r.details())
	return nil
}

// page resends as many deliveries as a second may have, and lets that second pass.
func (r *recovery) page(ctx workflow.Context) error {
	second := workflow.NewTimerWithOptions(ctx, time.Second, workflow.TimerOptions{Summary: "at most one page per second"})
	err := r.step(ctx, do.RecoverPage, activities.RecoveryInput{RecoveryID: r.id, Limit: r.progress.Rate})
	if err != nil || r.stands().Finished() {
		return err
	}
	r.pause = r.stands() == models.RecoveryPaused // the webhook gets no deliveries at present
	_ = second.Get(ctx, nil)                      // it fails when the recovery is cancelled, which run sees
	return nil
}

// wait lasts until someone lets a paused recovery go on, or cancels it.
func (r *recovery) wait(ctx workflow.Context) {
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	for _, signals := range []workflow.ReceiveChannel{r.resumes, r.pauses} {
		selector.AddReceive(signals, func(workflow.ReceiveChannel, bool) { r.takeSignals(ctx) })
	}
	selector.Select(ctx)
}

// cancel records that someone cancelled the recovery.
func (r *recovery) cancel(ctx workflow.Context) error {
	if err := r.record(ctx, models.RecoveryCancelled, "cancelled on request"); err != nil {
		return err
	}
	return ctx.Err()
}

// record writes a status where people and other programs look for it.
func (r *recovery) record(ctx workflow.Context, status models.RecoveryStatus, reason string) error {
	return r.step(ctx, do.RecordRecovery, activities.RecordRecoveryInput{RecoveryID: r.id, Status: status, Reason: reason})
}

// details is what the Temporal Web UI shows of a running recovery.
func (r *recovery) details() string {
	p := r.progress
	text := fmt.Sprintf("%s: %d of %d resent, %d skipped", p.Status, p.Resent, p.Total, p.Skipped)
	if p.Reason != "" {
		text += " (" + p.Reason + ")"
	}
	return text
}

// status answers QueryStatus.
func (r *recovery) status() (contract.RecoveryStatus, error) {
	return contract.RecoveryStatus{RecoveryID: r.id, RecoveryProgress: r.progress}, nil
}
