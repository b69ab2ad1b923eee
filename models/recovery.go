package models

import "time"

// RecoveryStatus says how far a recovery is.
type RecoveryStatus string

// The statuses of recoveries. Completed and cancelled are ends.
const (
	RecoveryRunning   RecoveryStatus = "running"
	RecoveryPaused    RecoveryStatus = "paused"
	RecoveryCompleted RecoveryStatus = "completed"
	RecoveryCancelled RecoveryStatus = "cancelled"
)

// Finished says that nothing more happens.
func (s RecoveryStatus) Finished() bool { return s == RecoveryCompleted || s == RecoveryCancelled }

// Include says what a recovery brings to its webhook. Each includes what the one before does.
type Include string

// What a recovery can include. Tests never are.
const (
	// IncludeFailed is what did not reach the receiver: given up, or cancelled because the webhook was inactive.
	IncludeFailed Include = "failed"
	// IncludeMissed is also the events that the webhook's patterns match and that have no delivery to it, because it
	// was inactive, had other patterns or did not exist.
	IncludeMissed Include = "missed"
	// IncludeAll is also what was delivered, and what someone cancelled.
	IncludeAll Include = "all"
)

// Missed says that events without a delivery are included.
func (i Include) Missed() bool { return i == IncludeMissed || i == IncludeAll }

// Wants says that a delivery is included as it is now.
func (i Include) Wants(delivery Delivery) bool {
	if delivery.Erased {
		return false
	}
	switch delivery.Status {
	case StatusPermanentlyFailed:
		return true
	case StatusCancelled:
		return delivery.CancelCause == CauseInactive || i == IncludeAll
	case StatusDelivered:
		return i == IncludeAll
	default:
		return false
	}
}

// Recovery brings to a webhook what it did not get in a time.
type Recovery struct {
	ID        string `gorm:"primaryKey"`
	WebhookID string
	OwnerID   string
	// Since and Until limit the recovery to deliveries that ended, and to missed events that were published, at or
	// after the one and before the other.
	Since, Until time.Time
	Include      Include
	// Rate is how many deliveries are started per second.
	Rate   int
	Status RecoveryStatus
	// Reason says why it is paused or was cancelled; empty otherwise.
	Reason string
	// Collected says that everything it is about is known: Total is final. CollectedTo is the ID of the last delivery
	// or event that was looked at; CollectedAt is when that delivery ended, where they are looked at by that.
	Collected   bool
	CollectedTo string
	CollectedAt *time.Time
	// Total deliveries are Resent, Skipped, or still to be done. Those skipped have been tried or have changed
	// since the recovery began.
	Total, Resent, Skipped int64
	CreatedAt              time.Time
	UpdatedAt              time.Time `gorm:"autoUpdateTime:false"`
	FinishedAt             *time.Time
}

// RecoveryActiveError says that a webhook has a recovery that has not ended.
type RecoveryActiveError struct {
	// ID of that recovery.
	ID string
}

// Error names the recovery.
func (e *RecoveryActiveError) Error() string { return "the webhook has the recovery " + e.ID }

// RecoveryFilter narrows a list of recoveries; its zero value narrows nothing.
type RecoveryFilter struct {
	WebhookIDs []string
	Statuses   []RecoveryStatus
}
