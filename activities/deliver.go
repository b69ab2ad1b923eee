package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/models"
)

// AttemptInput asks Deliver for one attempt.
type AttemptInput = attempt.Input

// AttemptResult is Deliver's result: what the attempt made of its delivery, or the detour that it has to take.
type AttemptResult = attempt.Result

// Detour is where and when an attempt is to be made instead.
type Detour = attempt.Detour

// Deliver makes one attempt and records it. When the log has the attempt already, its outcome is returned and the receiver
// is not called again.
func (a *Activities) Deliver(ctx context.Context, in AttemptInput) (AttemptResult, error) {
	// The heartbeat begins before the database is read: while that is slow, the attempt must not be repeated elsewhere.
	stopHeartbeat := heartbeat(ctx)
	defer stopHeartbeat()
	run := runOf(ctx)
	job, err := a.Attempts.Load(ctx, in, run)
	if errors.Is(err, models.ErrNotFound) {
		return AttemptResult{}, temporal.NewNonRetryableApplicationError(
			"there is no delivery "+in.DeliveryID, ErrTypeDeliveryNotFound, nil)
	}
	if err != nil {
		return AttemptResult{}, err
	}
	return a.Attempts.Make(ctx, job, in, run)
}

func runOf(ctx context.Context) attempt.Run {
	info := activity.GetInfo(ctx)
	return attempt.Run{ID: info.WorkflowExecution.RunID, Local: info.IsLocalActivity}
}
