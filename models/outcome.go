package models

import "time"

// Outcome is an attempt with what it makes of its delivery.
type Outcome struct {
	Attempt Attempt
	// Status is the delivery's from now on.
	Status Status
	// NextAttemptAt is set for StatusFailed.
	NextAttemptAt *time.Time
	// RunID is the Temporal run that made the attempt; empty for a first attempt that was made without one.
	RunID string
	// DisableWebhook, unless empty, makes the webhook inactive for this reason.
	DisableWebhook string
	// ThrottledUntil, unless nil, is until when other deliveries' first attempts keep away from the webhook.
	ThrottledUntil *time.Time
	// Queued says that the delivery stood in its webhook's queue.
	Queued bool
	// Health is the webhook's as it was before, so that a success that changes nothing writes nothing.
	Health WebhookHealth
}

// Recorded is what RecordAttempt made of an outcome.
type Recorded struct {
	// Change is how the attempt changed its webhook's health; empty when it did not.
	Change HealthChange
	// News are the deliveries of operational events, whose workflows are to be started.
	News []Delivery
	// Superseded says that the delivery was cancelled while the attempt was under way, or resent while one without a
	// workflow was, and that its failure changed nothing.
	Superseded bool
}

// AnsweredAt is when the receiver had answered, or the attempt had failed without an answer.
func (o Outcome) AnsweredAt() time.Time {
	return o.Attempt.StartedAt.Add(time.Duration(o.Attempt.DurationMS) * time.Millisecond).UTC()
}

// EndedAt is when the attempt ended its delivery; nil when it did not.
func (o Outcome) EndedAt() *time.Time {
	if !o.Status.Finished() {
		return nil
	}
	at := o.AnsweredAt()
	return &at
}

// WithoutWorkflow says that the attempt was made by the process that published the event.
func (o Outcome) WithoutWorkflow() bool { return o.RunID == "" }
