package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// releasePause lies between two passes of a Release at least; it is as long as the pass before it, so that a webhook that
// is changed again and again costs no more than half of what one pass costs all the time.
const releasePause = time.Second

// Release tells what waits for a webhook that its rate limit or its URL was changed, or that it is active again. A
// change during a pass makes for another pass.
func Release(ctx workflow.Context, in contract.ReleaseInput) error {
	changes := workflow.GetSignalChannel(ctx, contract.SignalRelease)
	noted := func() {
		for {
			var change contract.ReleaseInput
			if !changes.ReceiveAsync(&change) {
				return
			}
			in.Again = true
			in.Retries = in.Retries || change.Retries
		}
	}
	if noted(); in.Status == "" {
		in.Again, in.Status = false, string(models.StatusPending)
	}
	began := workflow.Now(ctx)
	for range pagesPerRun {
		var err error
		if in.ReleasePage, err = releasePage(ctx, in.ReleasePage); err != nil {
			return err
		}
		if noted(); in.Status != "" {
			continue
		}
		if !in.Again {
			return nil
		}
		if err := workflow.Sleep(ctx, max(releasePause, workflow.Now(ctx).Sub(began))); err != nil {
			return err
		}
		noted()
		in.Again, in.Status, began = false, string(models.StatusPending), workflow.Now(ctx)
	}
	return workflow.NewContinueAsNewError(ctx, Release, in)
}

// releasePage tells a page of deliveries, and says where to go on: behind those without an attempt come, where the
// change is about them too, those that wait for a retry. Behind the last page the status is empty.
func releasePage(ctx workflow.Context, in contract.ReleasePage) (contract.ReleasePage, error) {
	var result activities.ReleaseResult
	if err := workflow.ExecuteActivity(withStartOptions(ctx), do.ReleaseWaiting, in).Get(ctx, &result); err != nil {
		return in, err
	}
	switch {
	case result.Last != "":
		in.After = result.Last
	case in.Status == string(models.StatusPending) && in.Retries:
		in.Status, in.After = string(models.StatusFailed), ""
	default:
		in.Status, in.After = "", ""
	}
	return in, nil
}
