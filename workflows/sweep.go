package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
)

// Sweep starts deliveries, inbound events and recoveries whose process died, or whose Temporal was away, between
// their commit and the start of their workflow. Starting one that runs already changes nothing.
func Sweep(ctx workflow.Context, in contract.SweepInput) error {
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
