package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
)

// Sweep starts deliveries whose process died, or whose Temporal was away, between the commit of their event
// and the start of their workflow. Starting one that runs already changes nothing.
func Sweep(ctx workflow.Context, in SweepInput) error {
	if in.MadeBy.IsZero() {
		in.MadeBy = workflow.Now(ctx).Add(-in.MinAge)
	}
	last, err := startPending(ctx, activities.StartInput{MadeBy: in.MadeBy, After: in.After})
	if err != nil || last == "" {
		return err
	}
	in.After = last
	return workflow.NewContinueAsNewError(ctx, Sweep, in)
}
