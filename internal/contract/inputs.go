package contract

import "time"

// DeliveryInput starts a Delivery.
type DeliveryInput struct {
	DeliveryID string `json:"delivery_id"`
	// RecoveryID is the recovery that starts a finished delivery anew; empty otherwise.
	RecoveryID string `json:"recovery_id,omitempty"`
	// Resend says that someone asked for an attempt when the run before this one had been cancelled.
	Resend bool `json:"resend,omitempty"`
	// Turn says that the delivery has become the first in the queue of its ordered webhook, after an earlier run ended.
	Turn bool `json:"turn,omitempty"`
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
	DeliveryID string `json:"delivery_id"`
	Status     string `json:"status"`
	// Attempts counts all attempts; Retry of Retries is the scheduled attempt that comes next.
	Attempts       int        `json:"attempts"`
	Retry          int        `json:"retry,omitempty"`
	Retries        int        `json:"retries,omitempty"`
	NextAttemptAt  *time.Time `json:"next_attempt_at,omitempty"`
	LastStatusCode *int       `json:"last_status_code,omitempty"`
	LastErrorClass string     `json:"last_error_class,omitempty"`
	LastError      string     `json:"last_error,omitempty"`
}

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

// SweepInput starts a Sweep.
type SweepInput struct {
	// Every is the time from one sweep to the next; 0 for one only.
	Every time.Duration `json:"every,omitempty"`
	// Paused says that somebody has paused the sweeps.
	Paused bool `json:"paused,omitempty"`
	// MinAge is how long a delivery must have waited.
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
	Change string `json:"change,omitempty"`
}
