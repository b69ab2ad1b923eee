package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
)

// purgesPerRun bounds the history of a run of the retention, and its time to some minutes; the next run goes
// on where it stopped.
const purgesPerRun = 20

// Retention deletes what is older than the installation keeps, until nothing of it is left. Its result says
// how many rows that were.
func Retention(ctx workflow.Context, purging activities.Purging) (activities.Purging, error) {
	if !patched(ctx, patchPurgeEverything) {
		return purging, purgeInboundOnly(ctx)
	}
	if purging.At.IsZero() {
		purging.At = workflow.Now(ctx)
	}
	for range purgesPerRun {
		var next activities.Purging
		if err := workflow.ExecuteActivity(withPurgeOptions(ctx, purging), do.Purge, purging).Get(ctx, &next); err != nil {
			return activities.Purging{}, err
		}
		if purging = next; purging.Done {
			return purging, nil
		}
	}
	return activities.Purging{}, workflow.NewContinueAsNewError(ctx, Retention, purging)
}

// purgeInboundOnly is what the retention did before it deleted more than inbound events.
func purgeInboundOnly(ctx workflow.Context) error {
	for range pagesPerRun {
		var more bool
		if err := workflow.ExecuteActivity(withDatabaseOptions(ctx), do.PurgeInbound).Get(ctx, &more); err != nil || !more {
			return err
		}
	}
	return nil // the rest is the next run's
}
