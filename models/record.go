package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

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
	// Health is the webhook's as it was before, so that a success that changes nothing writes nothing.
	Health WebhookHealth
}

// Recorded is what RecordAttempt made of an outcome.
type Recorded struct {
	// Change is the turn that the attempt brought about in its webhook's health; empty for none.
	Change HealthChange
	// News are the deliveries of operational events, whose workflows are to be started.
	News []Delivery
	// Superseded says that the delivery was cancelled while the attempt was under way, or resent while one without a
	// workflow was, and that its failure changed nothing.
	Superseded bool
}

// returningDelivery names its columns: a star would break in a process that runs while one is added.
var returningDelivery = clause.Returning{Columns: []clause.Column{
	{Name: "id"}, {Name: "event_id"}, {Name: "webhook_id"}, {Name: "owner_id"}, {Name: "event"}, {Name: "host"}, {Name: "test"},
}}

// errPurged undoes the record of an attempt whose delivery is gone.
var errPurged = errors.New("the delivery was purged")

// RecordAttempt writes, in one transaction, an attempt, the change of its delivery and of its webhook's
// health, and the operational events that follow from them. Writing the same attempt again changes nothing,
// and nothing is written of a delivery that was purged meanwhile.
//
// On PostgreSQL, successes that change nothing else share a transaction when they come at the same time.
func (s *Store) RecordAttempt(ctx context.Context, outcome Outcome) (Recorded, error) {
	if s.recording != nil && isPlain(outcome) {
		done, err := s.recording.do(ctx, outcome)
		if err != nil {
			return Recorded{}, fmt.Errorf("record attempt: %w", err)
		}
		if done {
			return Recorded{}, nil
		}
	}
	recorded, err := s.recordAlone(ctx, outcome)
	if err != nil && !errors.Is(err, errPurged) {
		return Recorded{}, fmt.Errorf("record attempt: %w", err)
	}
	return recorded, nil
}

// isPlain says that an outcome is a success which leaves its webhook's health as it is.
func isPlain(o Outcome) bool {
	return o.Status == StatusDelivered && o.Health.Settled(o.Attempt.StartedAt) &&
		o.Attempt.DurationMS < SlowAttempt.Milliseconds()
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

// recordAlone records an attempt in a transaction of its own.
func (s *Store) recordAlone(ctx context.Context, outcome Outcome) (Recorded, error) {
	attempt := outcome.Attempt
	changes := map[string]any{
		"status":           outcome.Status,
		"attempt_count":    gorm.Expr("attempt_count + 1"),
		"next_attempt_at":  outcome.NextAttemptAt,
		"last_status_code": attempt.StatusCode,
		"last_error":       attempt.Error,
		"cancel_reason":    "",
		"cancel_cause":     "",
		"ended_at":         outcome.EndedAt(),
		"run_id":           outcome.RunID,
	}
	if outcome.Status == StatusDelivered {
		changes["delivered_at"] = outcome.AnsweredAt()
	}
	var recorded Recorded
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		inserted := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&attempt)
		if inserted.Error != nil {
			return inserted.Error
		}
		if inserted.RowsAffected == 0 {
			return changeBy(tx, attempt, &recorded.Change)
		}
		var delivery Delivery
		updated := tx.Model(&delivery).Clauses(returningDelivery).Where("id = ?", attempt.DeliveryID)
		switch {
		case outcome.Status == StatusDelivered: // counts, whatever happened meanwhile
		case outcome.WithoutWorkflow():
			updated = updated.Where("status = 'pending'")
		case attempt.Trigger != TriggerResend:
			updated = updated.Where("status <> 'cancelled'")
		}
		updated = updated.Updates(changes)
		switch {
		case updated.Error != nil:
			return updated.Error
		case updated.RowsAffected == 0 && outcome.Status != StatusDelivered:
			recorded.Superseded = true
			return countOnly(tx, attempt.DeliveryID)
		case updated.RowsAffected == 0:
			return errPurged
		case delivery.Test && outcome.DisableWebhook == "", isPlain(outcome):
			return nil
		}
		health, change, err := s.countAttempt(tx, outcome, delivery.WebhookID)
		if err != nil {
			return err
		}
		recorded.Change = change
		if err := endInStretch(tx, outcome, health); err != nil {
			return err
		}
		recorded.News, err = s.publishNews(tx, outcome, delivery, health, change)
		return err
	})
	return recorded, err
}

// countOnly keeps an attempt from changing a delivery that was cancelled, or without a workflow resent, while the
// request was on its way, except by a success.
func countOnly(tx *gorm.DB, deliveryID string) error {
	counted := tx.Model(&Delivery{}).Where("id = ?", deliveryID).Update("attempt_count", gorm.Expr("attempt_count + 1"))
	if counted.Error == nil && counted.RowsAffected == 0 {
		return errPurged
	}
	return counted.Error
}
