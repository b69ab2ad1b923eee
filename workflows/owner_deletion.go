package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/internal/typeid"
)

// OwnerDeletion removes all that a deleted owner had: it cancels what waits, lets what is under way end, and deletes.
// Begun anew, it goes on with what is left.
func OwnerDeletion(ctx workflow.Context, deletion contract.OwnerDeletion) (contract.OwnerDeletion, error) {
	if err := typeid.Check(typeid.KindOwner, deletion.OwnerID); err != nil {
		return deletion, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("the input's owner_id is no owner: %s", err), "BadInput", nil)
	}
	// The handler answers with what is known when it is asked.
	progress := &deletion
	err := workflow.SetQueryHandler(ctx, contract.QueryStatus, func() (contract.OwnerDeletion, error) { return *progress, nil })
	if err != nil {
		return deletion, err
	}
	for range purgesPerRun {
		if err := deleteOwnerStep(ctx, progress); err != nil || progress.Done {
			return *progress, err
		}
		workflow.SetCurrentDetails(ctx, deletionDetails(*progress))
	}
	return deletion, workflow.NewContinueAsNewError(ctx, OwnerDeletion, *progress)
}

func deleteOwnerStep(ctx workflow.Context, progress *contract.OwnerDeletion) error {
	var next contract.OwnerDeletion
	step, summary := do.StopOwner, "cancel what waits"
	switch {
	case progress.Stopped && !progress.Settled:
		progress.Settled = true
		timer := workflow.TimerOptions{Summary: "what is under way ends"}
		return workflow.NewTimerWithOptions(ctx, timing.Settling, timer).Get(ctx, nil)
	case progress.Settled:
		step, summary = do.PurgeOwner, "delete"
	}
	if err := workflow.ExecuteActivity(withOwnerOptions(ctx, summary), step, *progress).Get(ctx, &next); err != nil {
		return err
	}
	*progress = next
	return nil
}

// deletionDetails is what the Temporal Web UI shows of a deletion that runs.
func deletionDetails(d contract.OwnerDeletion) string {
	rows := int64(0)
	for _, of := range []string{"deliveries", "attempts", "events", "inbound_events"} {
		rows += d.Deleted[of]
	}
	return fmt.Sprintf("%d cancelled, %d rows deleted", d.Cancelled, rows)
}
