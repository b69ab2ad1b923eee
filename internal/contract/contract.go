// Package contract is what Postrider and Temporal have agreed on: the names that other code, the Web UI and the
// temporal command line use, what workflows are started with, told and asked, and how they are started. It imports
// nothing of ours, so that who starts a workflow needs to know nothing of what it does.
package contract

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
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
// is an contract.ReleaseSignal. A Release is told by it, without an argument that it reads, to begin anew.
const SignalRelease = "release"

// SignalPause and SignalResume hold a recovery, or the sweep, back and let it go on. Their argument, which may be left out, is
// a SteerSignal. When both arrive in the same instant without one, the recovery is paused.
const (
	SignalPause  = "pause"
	SignalResume = "resume"
)

// QueryStatus returns a DeliveryStatus, or a RecoveryStatus of a recovery.
const QueryStatus = "status"

// ErrTypeDeliveryExhausted is the type of the failure that ends the workflow of a delivery that gives up.
const ErrTypeDeliveryExhausted = "DeliveryExhausted"

// The sweep is one workflow that goes on for ever. Every SweepInterval it starts deliveries and inbound events that have
// waited SweepAge for their workflow. Together the two bound how late a delivery is whose process died before it could start
// it.
const (
	SweepID       = "postrider-sweep"
	SweepInterval = 10 * time.Second
	SweepAge      = 10 * time.Second
)

// MemoPaused is the member of the sweep's memo that says whether somebody has paused it.
const MemoPaused = "paused"

// The retention runs as a Temporal Schedule. It counts the hours that are over, and deletes what is older than the
// installation keeps. RetentionOffset is how long after the hour it runs: what began in the hour is recorded by then.
const (
	RetentionScheduleID = "postrider-retention"
	RetentionInterval   = time.Hour
	RetentionOffset     = 6 * time.Minute
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
