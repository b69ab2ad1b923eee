package models

import (
	"time"
)

// Status says how far a delivery is.
type Status string

// The statuses. A delivery begins pending; delivered, permanently_failed and cancelled are ends, which only
// a resend leaves.
const (
	StatusPending           Status = "pending"
	StatusFailed            Status = "failed"
	StatusDelivered         Status = "delivered"
	StatusPermanentlyFailed Status = "permanently_failed"
	StatusCancelled         Status = "cancelled"
)

// Finished says that nothing more happens unless someone resends.
func (s Status) Finished() bool {
	return s == StatusDelivered || s == StatusPermanentlyFailed || s == StatusCancelled
}

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID        string `gorm:"primaryKey"`
	EventID   string
	WebhookID string
	OwnerID   string
	// Event is the event's type.
	Event string
	// Host is where the webhook pointed when the event was published.
	Host   string
	Status Status
	// AttemptCount is how many attempts were made and recorded, resends included.
	AttemptCount int
	// NextAttemptAt is when the next attempt is due; nil when it is under way, or there is none to come.
	NextAttemptAt *time.Time
	// LeasedUntil is until when the sweep leaves a pending delivery alone; nil when it does not.
	LeasedUntil    *time.Time
	DeliveredAt    *time.Time
	LastStatusCode *int
	// LastError says why the last attempt failed; empty when it did not.
	LastError string
	// EndedAt is when the delivery ended; nil while it has not, or goes on because of a resend.
	EndedAt *time.Time
	// CancelReason says why the delivery was cancelled, for people, and CancelCause for programs; both are empty
	// unless it was.
	CancelReason string
	CancelCause  CancelCause
	// FilterError says why the webhook's filter could not be evaluated when the event was published, which then passed;
	// empty when there was nothing to say.
	FilterError string
	// Erased says that its event's data was erased: it cannot be sent again, and what is answered is not kept.
	Erased bool
	// Test deliveries are tried once, and their failure causes no notice.
	Test bool
	// Place is where the delivery stands in the queue of its ordered webhook; nil when it does not, or has left it.
	Place *int64
	// WaitsFor is the delivery that has to end before this one gets its turn, where that was looked up; empty for none.
	WaitsFor string `gorm:"-"`
	// RunID is the Temporal run that made the last attempt; empty before the first.
	RunID     string
	CreatedAt time.Time
}

// LeftFor is for how long the first attempt is left to the process that published the event, which may be making it
// right now without a workflow; 0 when it is not. A postponed delivery is leased too, but has a NextAttemptAt.
func (d Delivery) LeftFor(now time.Time) time.Duration {
	if d.AttemptCount > 0 || d.NextAttemptAt != nil || d.LeasedUntil == nil {
		return 0
	}
	return max(0, d.LeasedUntil.Sub(now))
}

// StartsIn is how long a delivery without an attempt waits for its first, from now; 0 when that is due.
func (d Delivery) StartsIn(now time.Time) time.Duration {
	if d.AttemptCount > 0 || d.Status != StatusPending || d.NextAttemptAt == nil {
		return 0
	}
	return max(0, d.NextAttemptAt.Sub(now))
}

// DeliveryFilter narrows a list of deliveries; its zero value narrows nothing.
type DeliveryFilter struct {
	Statuses                               []Status
	WebhookIDs, EventIDs, Events, OwnerIDs []string
	Since, Until                           time.Time
	Search                                 Search
}

// CancelCause says in one word why a delivery was cancelled.
type CancelCause string

// The causes.
const (
	// CauseRequest: someone cancelled it.
	CauseRequest CancelCause = "request"
	// CauseInactive: its webhook got no deliveries at the time. A recovery brings it back.
	CauseInactive CancelCause = "inactive"
	// CauseErased: its event's data was erased.
	CauseErased CancelCause = "erased"
	// CauseDeleted: its webhook is gone.
	CauseDeleted CancelCause = "deleted"
)
