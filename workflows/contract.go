// Package workflows holds Postrider's Temporal workflows. A delivery is one of them: it can be watched in the
// Temporal Web UI, resent by a signal and cancelled there, and no crash makes it forget where it was.
//
// This file is the contract: every name that other code, the Web UI or the temporal command line uses.
package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/models"
)

// TaskQueue is where deliveries are worked on. On TaskQueueSlow are the attempts to webhooks that are slow or
// fail, so that the others do not wait for them.
const (
	TaskQueue     = "deliveries"
	TaskQueueSlow = "deliveries-slow"
)

// Workflow types.
const (
	TypeDelivery      = "Delivery"
	TypeFanOut        = "FanOut"
	TypeInbound       = "Inbound"
	TypeNotification  = "Notification"
	TypeOwnerDeletion = "OwnerDeletion"
	TypeRecovery      = "Recovery"
	TypeRelease       = "Release"
	TypeRetention     = "Retention"
	TypeSweep         = "Sweep"
)

// SignalResend asks a delivery for an attempt now. Its argument, which may be left out, is a ResendSignal.
const SignalResend = "resend"

// SignalRelease tells a delivery that a setting of its webhook was changed: what it waits for may be over. Its argument
// is an activities.ReleaseSignal. A Release is told by it, without an argument that it reads, to begin anew.
const SignalRelease = "release"

// SignalPause and SignalResume hold a recovery back and let it go on. Their argument, which may be left out, is a
// SteerSignal. When both arrive in the same instant without one, the recovery is paused.
const (
	SignalPause  = "pause"
	SignalResume = "resume"
)

// QueryStatus returns a DeliveryStatus, or a RecoveryStatus of a recovery.
const QueryStatus = "status"

// ErrTypeDeliveryExhausted is the type of the failure that ends the workflow of a delivery that gives up.
const ErrTypeDeliveryExhausted = "DeliveryExhausted"

// The sweep runs as a Temporal Schedule and starts deliveries and inbound events that have waited SweepAge for
// their workflow. Together the two bound how late a delivery is whose process died before it could start it.
const (
	SweepScheduleID = "postrider-sweep"
	SweepInterval   = 10 * time.Second
	SweepAge        = 10 * time.Second
)

// The retention runs as a Temporal Schedule and deletes what is older than the installation keeps.
const (
	RetentionScheduleID = "postrider-retention"
	RetentionInterval   = time.Hour
)

// Search attributes of deliveries, all keywords.
var (
	SearchEvent   = temporal.NewSearchAttributeKeyKeyword("PostriderEvent")
	SearchWebhook = temporal.NewSearchAttributeKeyKeyword("PostriderWebhook")
	SearchOwner   = temporal.NewSearchAttributeKeyKeyword("PostriderOwner")
)

// SearchAttributes lists the search attributes that the Temporal namespace must have, with their types.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		SearchEvent.GetName():   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		SearchWebhook.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		SearchOwner.GetName():   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	}
}

// DeliveryInput starts a Delivery.
type DeliveryInput struct {
	DeliveryID string `json:"delivery_id"`
	// RecoveryID is the recovery that starts a finished delivery anew; empty otherwise.
	RecoveryID string `json:"recovery_id,omitempty"`
	// Resend says that someone asked for an attempt when the run before this one had been cancelled.
	Resend bool `json:"resend,omitempty"`
}

// ResendSignal is the argument of SignalResend.
type ResendSignal struct {
	// RequestedBy is who asked, an API key's ID for one. It is for people who read the history.
	RequestedBy string `json:"requested_by,omitempty"`
	// BeforeCancel says that the run was not cancelled when the resend was asked for. Should it be cancelled when the
	// signal is read, the cancellation was the last word.
	BeforeCancel bool `json:"before_cancel,omitempty"`
	// Withdrawn takes back the resends that were asked for since the run was cancelled: it was cancelled once more.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// SteerSignal is the argument of SignalPause and SignalResume.
type SteerSignal struct {
	// At puts requests in the order in which they were made: signals of two names have none in a workflow.
	At time.Time `json:"at,omitzero"`
}

// DeliveryStatus is the answer to QueryStatus.
type DeliveryStatus struct {
	DeliveryID string        `json:"delivery_id"`
	Status     models.Status `json:"status"`
	// Attempts counts all attempts; Retry of Retries is the scheduled attempt that comes next.
	Attempts       int               `json:"attempts"`
	Retry          int               `json:"retry,omitempty"`
	Retries        int               `json:"retries,omitempty"`
	NextAttemptAt  *time.Time        `json:"next_attempt_at,omitempty"`
	LastStatusCode *int              `json:"last_status_code,omitempty"`
	LastErrorClass models.ErrorClass `json:"last_error_class,omitempty"`
	LastError      string            `json:"last_error,omitempty"`
}

// RecoveryInput starts a Recovery, whose workflow ID is the recovery's ID.
type RecoveryInput struct {
	RecoveryID string `json:"recovery_id"`
	// Pause and Progress continue a recovery whose history became long.
	Pause    bool                         `json:"pause,omitempty"`
	Progress *activities.RecoveryProgress `json:"progress,omitempty"`
}

// RecoveryStatus is the answer to QueryStatus of a recovery.
type RecoveryStatus struct {
	RecoveryID string `json:"recovery_id"`
	activities.RecoveryProgress
}

// OwnerDeletionInput starts an OwnerDeletion; it is also its result, and the answer to QueryStatus.
type OwnerDeletionInput = activities.OwnerDeletion

// InboundInput starts an Inbound, whose workflow ID is the inbound event's ID.
type InboundInput struct {
	InboundEventID string `json:"inbound_event_id"`
}

// FanOutInput starts a FanOut: the workflows of an event with many deliveries.
type FanOutInput struct {
	EventID string `json:"event_id"`
	// After continues behind this delivery.
	After string `json:"after,omitempty"`
}

// ReleaseSignal is the argument of SignalRelease to a delivery.
type ReleaseSignal = activities.ReleaseSignal

// ReleaseInput starts a Release: what waits for a webhook is told that a setting was changed.
type ReleaseInput struct {
	activities.ReleaseInput
	// Again continues a Release that was told of a further change.
	Again bool `json:"again,omitempty"`
}

// NewReleaseInput is for what waits for a webhook, with what waits for a retry or without.
func NewReleaseInput(webhookID string, retries bool) ReleaseInput {
	return ReleaseInput{ReleaseInput: activities.ReleaseInput{WebhookID: webhookID, Retries: retries}}
}

// SweepInput starts a Sweep.
type SweepInput struct {
	// MinAge is how long a delivery must have waited; the schedule uses SweepAge.
	MinAge time.Duration `json:"min_age"`
	// MadeBy and After continue a sweep.
	MadeBy time.Time `json:"made_by,omitzero"`
	After  string    `json:"after,omitempty"`
}

// NotificationInput starts a Notification: an owner is told about one final failure, or that a webhook is
// failing or disabled.
type NotificationInput struct {
	DeliveryID string `json:"delivery_id"`
	// Attempt is the number of the attempt that was the last, or that the change came with.
	Attempt int `json:"attempt"`
	// Change, unless empty, is what became of the webhook.
	Change models.HealthChange `json:"change,omitempty"`
}

// DeliveryOptions start a delivery's workflow. Starting it again changes nothing.
func DeliveryOptions(delivery models.Delivery) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       delivery.ID,
		TaskQueue:                TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		// Without this the client would return the first run instead of saying that there is one.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		EnableEagerStart:                         true,
		StaticSummary:                            fmt.Sprintf("%s → %s", delivery.Event, delivery.Host),
		// What goes through task queues is shared fairly among the owners.
		Priority: temporal.Priority{FairnessKey: delivery.OwnerID},
		TypedSearchAttributes: temporal.NewSearchAttributes(
			SearchEvent.ValueSet(delivery.Event),
			SearchWebhook.ValueSet(delivery.WebhookID),
			SearchOwner.ValueSet(delivery.OwnerID),
		),
	}
}

// ResendOptions start a finished delivery anew, as SignalWithStart asks for.
func ResendOptions(delivery models.Delivery) client.StartWorkflowOptions {
	options := DeliveryOptions(delivery)
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	options.WorkflowExecutionErrorWhenAlreadyStarted = false
	options.EnableEagerStart = false
	return options
}

// RecoverOptions start a finished delivery anew for a recovery, behind what is new. One that runs is refused.
func RecoverOptions(delivery models.Delivery) client.StartWorkflowOptions {
	options := ResendOptions(delivery)
	options.Priority.PriorityKey = priorityRecovered
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	return options
}

// MissedOptions start the first run of a delivery that a recovery has made, behind what is new. Starting it again
// changes nothing, whoever started it.
func MissedOptions(delivery models.Delivery) client.StartWorkflowOptions {
	options := DeliveryOptions(delivery)
	options.Priority.PriorityKey = priorityRecovered
	options.EnableEagerStart = false
	return options
}

// RecoveryOptions start a recovery's workflow, or a new one where the last was terminated.
func RecoveryOptions(recovery models.Recovery) client.StartWorkflowOptions {
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
func InboundOptions(inbound models.InboundEvent) client.StartWorkflowOptions {
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

// StartSweepOptions start the Sweep that a worker runs when it starts. One that runs already is replaced: the
// worker that it was for may have died, and it may have begun before what this one is to find.
func StartSweepOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       SweepScheduleID + "/start",
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
	}
}

// Schedules are the Temporal Schedules that the installation keeps.
func Schedules() []client.ScheduleOptions {
	return []client.ScheduleOptions{
		schedule(SweepScheduleID, SweepInterval, TypeSweep, SweepInput{MinAge: SweepAge}),
		schedule(RetentionScheduleID, RetentionInterval, TypeRetention),
	}
}

// schedule runs a workflow again and again, but never twice at once.
func schedule(id string, every time.Duration, workflowType string, args ...any) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action:  &client.ScheduleWorkflowAction{ID: id, Workflow: workflowType, TaskQueue: TaskQueue, Args: args},
	}
}

// NotificationID is unique for each final failure and each change, so that nothing is told twice.
func notificationID(in NotificationInput) string {
	id := fmt.Sprintf("%s/notification/%d", in.DeliveryID, in.Attempt)
	if in.Change != "" {
		id += "/" + string(in.Change)
	}
	return id
}
