package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
)

// Sweep starts deliveries, inbound events and recoveries whose process died, or whose Temporal was away, between
// their commit and the start of their workflow. Starting one that runs already changes nothing. With an interval it goes on
// for ever, in runs that follow each other; without one it comes by once.
func Sweep(ctx workflow.Context, in contract.SweepInput) error {
	if in.Every == 0 {
		return sweepOnce(ctx, in)
	}
	s := &sweep{
		in: in, pauses: workflow.GetSignalChannel(ctx, contract.SignalPause), resumes: workflow.GetSignalChannel(ctx, contract.SignalResume),
	}
	return s.run(ctx)
}

// sweepOnce goes through everything that is pending.
func sweepOnce(ctx workflow.Context, in contract.SweepInput) error {
	if in.MadeBy.IsZero() {
		in.MadeBy = workflow.Now(ctx).Add(-in.MinAge)
	}
	last, err := startPending(ctx, activities.StartInput{MadeBy: in.MadeBy, After: in.After})
	if err != nil {
		return err
	}
	if last != "" {
		in.After = last
		return workflow.NewContinueAsNewError(ctx, Sweep, in)
	}
	// What is left of a long backlog of inbound events is the next sweep's.
	left := activities.StartInput{MadeBy: in.MadeBy}
	if _, err = startPages(ctx, do.StartPendingInbound, left); err != nil {
		return err
	}
	return workflow.ExecuteActivity(withStartOptions(ctx), do.StartPendingRecoveries, left).Get(ctx, nil)
}

// sweep is the state of a run that goes on for ever.
type sweep struct {
	in              contract.SweepInput
	pauses, resumes workflow.ReceiveChannel
}

// sweepsPerRun bounds the history of a run where Temporal does not suggest its end before.
const sweepsPerRun = 360

func (s *sweep) run(ctx workflow.Context) error {
	for range sweepsPerRun {
		began := workflow.Now(ctx)
		if !s.in.Paused {
			if err := sweepOnce(ctx, s.in); err != nil {
				return err
			}
			s.in.MadeBy, s.in.After = time.Time{}, ""
		}
		if err := s.wait(ctx, began.Add(s.in.Every)); err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			break
		}
	}
	return workflow.NewContinueAsNewError(ctx, Sweep, s.in)
}

// wait waits until the next sweep is due. Meanwhile somebody may pause the sweeps, or have them go on.
func (s *sweep) wait(ctx workflow.Context, next time.Time) (err error) {
	timer := workflow.NewTimerWithOptions(ctx, next.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: "next sweep"})
	over := false
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(timer, func(timer workflow.Future) { over, err = true, timer.Get(ctx, nil) })
	steer := func(signals workflow.ReceiveChannel, paused bool) {
		selector.AddReceive(signals, func(signals workflow.ReceiveChannel, _ bool) {
			signals.ReceiveAsync(nil)
			if err == nil && s.in.Paused != paused {
				s.in.Paused = paused
				err = workflow.UpsertMemo(ctx, map[string]any{contract.MemoPaused: paused})
			}
		})
	}
	steer(s.pauses, true)
	steer(s.resumes, false)
	for !over || selector.HasPending() {
		selector.Select(ctx)
	}
	return err
}
