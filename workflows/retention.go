package workflows

import (
	"go.temporal.io/sdk/workflow"
)

// Retention deletes what is older than the installation keeps, in small batches.
func Retention(ctx workflow.Context) error {
	for range pagesPerRun {
		var more bool
		if err := workflow.ExecuteActivity(withDatabaseOptions(ctx), do.PurgeInbound).Get(ctx, &more); err != nil || !more {
			return err
		}
	}
	return nil // the rest is the next run's
}
