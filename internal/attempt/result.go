package attempt

import (
	"time"

	"github.com/postrider/postrider/models"
)

// Input asks for one attempt of a delivery.
type Input struct {
	DeliveryID string         `json:"delivery_id"`
	Trigger    models.Trigger `json:"trigger"`
	// Sequence counts the attempts of this workflow run from 1.
	Sequence int `json:"sequence"`
	// Failures is how many attempts of the schedule have failed before this one.
	Failures int `json:"failures"`
	// ScheduledAt is when the workflow asked for the attempt.
	ScheduledAt time.Time `json:"scheduled_at"`
	// ResumeAt is set for an extra attempt, asked for while the delivery waits: when the wait ends. An extra
	// attempt uses up no retry.
	ResumeAt *time.Time `json:"resume_at,omitempty"`
	// Turn says that the run was started because the delivery is the first in its webhook's queue.
	Turn bool `json:"turn,omitempty"`
	// Slow says that the attempt is made in the slow lane; Detours counts the detours before it.
	Slow    bool `json:"slow,omitempty"`
	Detours int  `json:"detours,omitempty"`
	// ReservedAt is the moment that was reserved for the attempt under the webhook's rate limit, and ReservedSince the
	// timetable that the moment belongs to; see models.Reservation.
	ReservedAt    *time.Time `json:"slot_at,omitempty"`
	ReservedSince int64      `json:"slot_since,omitempty"`
}

// Result is what an attempt made of its delivery. It holds outcomes only: no payload, no response body and no secret
// may get into a workflow's history.
type Result struct {
	Attempted
	Decision
	// Detour, unless nil, says that no attempt was made, and where and when to make it.
	Detour *Detour `json:"detour,omitempty"`
	// Unrecorded says that the request was made but the log could not be written: RecordAttempt must follow.
	Unrecorded bool `json:"unrecorded,omitempty"`
}

// Attempted is the request that was made and its answer, as the log has them; zero when no request was made.
type Attempted struct {
	AttemptID  string            `json:"attempt_id,omitempty"`
	Number     int               `json:"number,omitempty"`
	Trigger    models.Trigger    `json:"trigger,omitempty"`
	StatusCode *int              `json:"status_code,omitempty"`
	ErrorClass models.ErrorClass `json:"error_class,omitempty"`
	Error      string            `json:"error,omitempty"`
	DurationMS int64             `json:"duration_ms"`
	RemoteAddr string            `json:"remote_addr,omitempty"`
	StartedAt  time.Time         `json:"started_at,omitzero"`
}

// Decision is what follows for the delivery and its webhook.
type Decision struct {
	// Status is the delivery's from now on.
	Status models.Status `json:"status"`
	// CancelReason is set for StatusCancelled: no request was made.
	CancelReason string `json:"cancel_reason,omitempty"`
	// NextAttemptAt and WaitMS, the milliseconds until then, are set for StatusFailed.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	WaitMS        int64      `json:"wait_ms,omitempty"`
	// Retry of Retries is the attempt that follows the wait.
	Retry   int `json:"retry,omitempty"`
	Retries int `json:"retries,omitempty"`
	// DisableWebhook, unless empty, is why the webhook gets no more deliveries.
	DisableWebhook string `json:"disable_webhook,omitempty"`
	// Notify asks for the owner to be told.
	Notify bool `json:"notify,omitempty"`
	// Change is how the attempt changed its webhook's health; empty when it did not.
	Change models.HealthChange `json:"change,omitempty"`
	// ThrottledUntil, unless nil, is until when other deliveries' first attempts keep away from the webhook.
	ThrottledUntil *time.Time `json:"throttled_until,omitempty"`
	// Receiver is which of its webhook's receivers was called, counted through the changes of URL.
	Receiver int `json:"receiver,omitempty"`
	// Sick says that the next attempt belongs in the slow lane.
	Sick bool `json:"sick,omitempty"`
	// Queued says that other deliveries wait for this one's end.
	Queued bool `json:"queued,omitempty"`
}

// Wait is the time until the next attempt.
func (d Decision) Wait() time.Duration { return time.Duration(d.WaitMS) * time.Millisecond }

// Supersede makes a failure that of a delivery which was cancelled meanwhile.
func (d *Decision) Supersede() {
	d.Status, d.CancelReason, d.Notify, d.NextAttemptAt, d.WaitMS = models.StatusCancelled, "cancelled on request", false, nil, 0
}

// learn adds to a decision what recording the attempt found out.
func (d *Decision) learn(recorded models.Recorded) {
	d.Change = recorded.Change
	if recorded.Superseded {
		d.Supersede()
	}
}

// Detour says that an attempt is to be made elsewhere or later: in the slow lane, at the moment that is reserved for it
// under the webhook's rate limit, or when its receiver wants to be called again.
type Detour struct {
	Slow bool `json:"slow,omitempty"`
	// ReservedAt and ReservedSince are the reservation; see Input.
	ReservedAt    *time.Time `json:"slot_at,omitempty"`
	ReservedSince int64      `json:"slot_since,omitempty"`
	// Throttled says that the wait is for a receiver that asked for it or seems to be overloaded.
	Throttled bool `json:"throttled,omitempty"`
	// Scheduled says that the wait is for the time at which the event is to be delivered.
	Scheduled bool `json:"scheduled,omitempty"`
	// Behind is the delivery that stands first in the queue of an ordered webhook, Inactive says that such a webhook gets
	// nothing at present. Both waits end with a release.
	Behind   string `json:"behind,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
	// WaitMS is for how many milliseconds the workflow waits first.
	WaitMS int64 `json:"wait_ms,omitempty"`
}

// Wait is how long the workflow waits before it asks again.
func (d Detour) Wait() time.Duration { return time.Duration(d.WaitMS) * time.Millisecond }
