package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
)

// pagesPerRun bounds the history of a run that starts workflows; the next run goes on where it stopped.
const pagesPerRun = 100

// FanOut starts the deliveries of an event that matched many webhooks.
func FanOut(ctx workflow.Context, in contract.FanOutInput) error {
	last, err := startPending(ctx, activities.StartInput{EventID: in.EventID, After: in.After})
	if err != nil || last == "" {
		return err
	}
	in.After = last
	return workflow.NewContinueAsNewError(ctx, FanOut, in)
}

// startPending starts deliveries. It returns where a further run goes on, empty when all are started.
func startPending(ctx workflow.Context, in activities.StartInput) (last string, err error) {
	return startPages(ctx, do.StartPending, in)
}

// startPages has an activity start page after page.
func startPages(ctx workflow.Context, activity any, in activities.StartInput) (last string, err error) {
	for range pagesPerRun {
		var result activities.StartResult
		if err := workflow.ExecuteActivity(withStartOptions(ctx), activity, in).Get(ctx, &result); err != nil {
			return "", err
		}
		if result.Last == "" {
			return "", nil
		}
		in.After = result.Last
	}
	return in.After, nil
}
