package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/timing"
)

// withFirstSendOptions is for the first attempt of a run: inside the workflow task, so that it costs Temporal
// nothing beyond the workflow itself. When it fails, which is our fault, withSendOptions takes over.
func withFirstSendOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: timing.AttemptActivity,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:             "attempt 1",
	})
}

// withSendOptions is for all other attempts. What someone asked for goes before what the schedule brings.
func withSendOptions(ctx workflow.Context, slow, asked bool, summary string) workflow.Context {
	options := workflow.ActivityOptions{
		StartToCloseTimeout: timing.AttemptActivity,
		HeartbeatTimeout:    timing.HeartbeatTimeout,
		RetryPolicy:         ourFault(),
		// A request that is on its way is waited for.
		WaitForCancellation: true,
		Summary:             summary,
	}
	if slow {
		options.TaskQueue = contract.TaskQueueSlow
	}
	if asked {
		options.Priority.PriorityKey = contract.PriorityAsked
	}
	return workflow.WithActivityOptions(ctx, options)
}

// withDatabaseOptions is for what only reads and writes the database, in milliseconds. The timeout is for the
// death of a process, or of an answer, that was doing it.
func withDatabaseOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         ourFault(),
	})
}

// withFirstProcessOptions is for processing an inbound event inside the workflow task; withDatabaseOptions
// takes over when it fails.
func withFirstProcessOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 5 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:             "publish",
	})
}

// withStartOptions is for starting many workflows.
func withStartOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Minute,
		HeartbeatTimeout:    timing.HeartbeatTimeout,
		RetryPolicy:         ourFault(),
	})
}

// withRecoverOptions is for resending a page of deliveries. The heartbeat finds the death of a process that was
// in the middle of one.
func withRecoverOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Minute,
		HeartbeatTimeout:    timing.HeartbeatTimeout,
		RetryPolicy:         ourFault(),
	})
}

// withPurgeOptions is for deleting old rows, batch after batch. What a try did is in its heartbeats: the next
// one goes on from there.
func withPurgeOptions(ctx workflow.Context, purging activities.Purging) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: timing.PurgeActivity,
		HeartbeatTimeout:    timing.PurgeHeartbeat,
		RetryPolicy:         ourFault(),
		Summary:             strings.TrimSpace(fmt.Sprintf("%s %s", purging.What, purging.After)),
	})
}

// withOwnerOptions is for removing what a deleted owner had. It goes on like a purge.
func withOwnerOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: timing.PurgeActivity,
		HeartbeatTimeout:    timing.PurgeHeartbeat,
		RetryPolicy:         ourFault(),
		Summary:             summary,
	})
}

// withNotifyOptions is for telling an owner. It is tried for three days, but never again after a timeout:
// the message may have gone out.
func withNotifyOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    time.Minute,
		ScheduleToCloseTimeout: 72 * time.Hour,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        10 * time.Second,
			BackoffCoefficient:     2,
			MaximumInterval:        time.Hour,
			NonRetryableErrorTypes: []string{timeoutType(enumspb.TIMEOUT_TYPE_START_TO_CLOSE)},
		},
	})
}

// withDetourOptions are for the wait until a webhook has capacity.
func withDetourOptions(detour activities.Detour) workflow.TimerOptions {
	if detour.ReservedAt != nil {
		return workflow.TimerOptions{Summary: "rate limit: turn at " + detour.ReservedAt.UTC().Format("15:04:05")}
	}
	if detour.Scheduled {
		return workflow.TimerOptions{Summary: "to be delivered later"}
	}
	if detour.Behind != "" {
		return workflow.TimerOptions{Summary: "behind " + detour.Behind}
	}
	if detour.Inactive {
		return workflow.TimerOptions{Summary: "the webhook is inactive"}
	}
	if detour.Throttled {
		return workflow.TimerOptions{Summary: "the receiver is overloaded"}
	}
	return workflow.TimerOptions{Summary: "the webhook is busy"}
}

// withNotificationOptions start the workflow that tells an owner; it goes on when the delivery has ended.
func withNotificationOptions(ctx workflow.Context, in contract.NotificationInput) workflow.Context {
	summary := "final failure of " + in.DeliveryID
	if in.Change != "" {
		summary = "webhook " + string(in.Change)
	}
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            contract.NotificationID(in),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary:         summary,
	})
}

// ourFault repeats fast and without end: our database or host is away, and the delivery waits for nothing
// else.
func ourFault() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:        200 * time.Millisecond,
		BackoffCoefficient:     2,
		MaximumInterval:        10 * time.Second,
		NonRetryableErrorTypes: []string{activities.ErrTypeDeliveryNotFound},
	}
}

// timeoutType names a timeout the way that Temporal's server matches it with non-retryable types.
func timeoutType(timeout enumspb.TimeoutType) string { return "TemporalTimeout:" + timeout.String() }

// final says that trying an activity again cannot help.
func final(err error) bool {
	var failure *temporal.ApplicationError
	return errors.As(err, &failure) && failure.NonRetryable()
}
