package contract

import (
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// Delivery is what Temporal is told of a delivery when its workflow is started.
type Delivery struct {
	ID, OwnerID, WebhookID string
	// Event is its type, Host the receiver's name and port.
	Event, Host string
}

// Recovery is what Temporal is told of a recovery when its workflow is started.
type Recovery struct {
	ID, OwnerID, WebhookID string
	// Rate is how many deliveries it starts per second.
	Rate int
}

// Inbound is what Temporal is told of an inbound event when its workflow is started.
type Inbound struct{ ID, OwnerID, SourceID, Type string }

// DeliveryOptions start a delivery's workflow. Starting it again changes nothing.
func DeliveryOptions(delivery Delivery) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       delivery.ID,
		TaskQueue:                TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		// Without this the client would return the first run instead of saying that there is one.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		EnableEagerStart:                         true,
		StaticSummary:                            fmt.Sprintf("%s → %s", delivery.Event, delivery.Host),
		StaticDetails:                            deliveryDetails,
		// What goes through task queues is shared fairly among the owners.
		Priority: temporal.Priority{FairnessKey: delivery.OwnerID},
		TypedSearchAttributes: temporal.NewSearchAttributes(
			SearchEvent.ValueSet(delivery.Event),
			SearchWebhook.ValueSet(delivery.WebhookID),
			SearchOwner.ValueSet(delivery.OwnerID),
		),
	}
}

// deliveryDetails is what the Temporal Web UI says of every delivery, in Markdown.
const deliveryDetails = "The signal `resend` sends it at once. A cancellation gives it up: it is not tried again, unless it is resent."

// ResendOptions start a finished delivery anew, as SignalWithStart asks for.
func ResendOptions(delivery Delivery) client.StartWorkflowOptions {
	options := DeliveryOptions(delivery)
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	options.WorkflowExecutionErrorWhenAlreadyStarted = false
	options.EnableEagerStart = false
	return options
}

// RecoverOptions start a finished delivery anew for a recovery, behind what is new. One that runs is refused.
func RecoverOptions(delivery Delivery) client.StartWorkflowOptions {
	options := ResendOptions(delivery)
	options.Priority.PriorityKey = PriorityRecovered
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	return options
}

// MissedOptions start the first run of a delivery that a recovery has made, behind what is new. Starting it again
// changes nothing, whoever started it.
func MissedOptions(delivery Delivery) client.StartWorkflowOptions {
	options := DeliveryOptions(delivery)
	options.Priority.PriorityKey = PriorityRecovered
	options.EnableEagerStart = false
	return options
}

// TurnOptions start another run of a delivery that is the first in its queue. One that runs is refused.
func TurnOptions(delivery Delivery) client.StartWorkflowOptions {
	options := DeliveryOptions(delivery)
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	return options
}

// RecoveryOptions start a recovery's workflow, or a new one where the last was terminated.
func RecoveryOptions(recovery Recovery) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                    recovery.ID,
		TaskQueue:             TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         fmt.Sprintf("recovery of %s, %d per second", recovery.WebhookID, recovery.Rate),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			SearchWebhook.ValueSet(recovery.WebhookID), SearchOwner.ValueSet(recovery.OwnerID),
		),
	}
}

// OwnerDeletionID is the ID of the workflow that removes what an owner had.
func OwnerDeletionID(ownerID string) string { return ownerID + "/deletion" }

// OwnerDeletionOptions start the removal of what a deleted owner had, or go on with it where the last was terminated.
func OwnerDeletionOptions(ownerID string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       OwnerDeletionID(ownerID),
		TaskQueue:                TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "deletion of " + ownerID,
		TypedSearchAttributes:    temporal.NewSearchAttributes(SearchOwner.ValueSet(ownerID)),
	}
}

// InboundOptions start the processing of an inbound event, or another run of it. A run changes nothing unless the
// event is pending, as it is when it came in or someone asked for it to be reprocessed.
func InboundOptions(inbound Inbound) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                                       inbound.ID,
		TaskQueue:                                TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		EnableEagerStart:                         true,
		StaticSummary:                            fmt.Sprintf("%s ← %s", inbound.Type, inbound.SourceID),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			SearchEvent.ValueSet(inbound.Type), SearchOwner.ValueSet(inbound.OwnerID),
		),
	}
}

// ReleaseOptions start the Release of a webhook's deliveries, unless it runs already.
func ReleaseOptions(webhookID string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       "release/" + webhookID,
		TaskQueue:                TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
}

// FanOutOptions start the FanOut of an event.
func FanOutOptions(eventID string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       "fanout/" + eventID,
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
}

// SweepOptions start the sweep that goes on for ever, unless it does.
func SweepOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       SweepID,
		TaskQueue:                TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "starts what a crash left behind, every " + SweepInterval.String(),
		StaticDetails:            "The signal pause holds it back, resume lets it go on.",
	}
}

// StartSweepOptions start the Sweep that a worker runs when it starts. One that runs already is replaced: the
// worker that it was for may have died, and it may have begun before what this one is to find.
func StartSweepOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       SweepID + "/start",
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
	}
}

// NotificationID is unique for each final failure and each change, so that nothing is told twice.
func NotificationID(in NotificationInput) string {
	id := fmt.Sprintf("%s/notification/%d", in.DeliveryID, in.Attempt)
	if in.Change != "" {
		id += "/" + string(in.Change)
	}
	return id
}
