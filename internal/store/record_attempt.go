package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/postrider/postrider/models"
)

// returningDelivery names its columns: a star would break in a process that runs while one is added.
var returningDelivery = clause.Returning{Columns: []clause.Column{
	{Name: "id"}, {Name: "event_id"}, {Name: "webhook_id"}, {Name: "owner_id"}, {Name: "event"}, {Name: "host"}, {Name: "test"},
	{Name: "erased"},
}}

// errPurged undoes the record of an attempt whose delivery is gone.
var errPurged = errors.New("the delivery was purged")

// RecordAttempt writes, in one transaction, an attempt, the change of its delivery and of its webhook's
// health, and the operational events that follow from them. Writing the same attempt again changes nothing,
// and nothing is written of a delivery that was purged meanwhile.
//
// On PostgreSQL, successes that change nothing else share a transaction when they come at the same time.
func (s *Store) RecordAttempt(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	if s.recording != nil && isPlain(outcome) && !s.late(outcome.Attempt.StartedAt) {
		done, err := s.recording.do(ctx, outcome)
		if err != nil {
			return models.Recorded{}, fmt.Errorf("record attempt: %w", err)
		}
		if done {
			return models.Recorded{}, nil
		}
	}
	var recorded models.Recorded
	err := unlessDeadlocked(func() (err error) {
		recorded, err = s.recordAlone(ctx, outcome)
		return err
	})
	if err != nil && !errors.Is(err, errPurged) {
		return models.Recorded{}, fmt.Errorf("record attempt: %w", err)
	}
	return recorded, nil
}

// isPlain says that an outcome is a success which leaves its webhook's health as it is.
func isPlain(o models.Outcome) bool {
	return o.Status == models.StatusDelivered && o.Health.Settled(o.Attempt.StartedAt) &&
		o.Attempt.DurationMS < models.SlowAttempt.Milliseconds()
}

// recordAlone records an attempt in a transaction of its own.
func (s *Store) recordAlone(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
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
	switch outcome.Status {
	case models.StatusDelivered:
		changes["delivered_at"], changes["place"] = outcome.AnsweredAt(), nil
	case models.StatusPermanentlyFailed:
		changes["place"] = heldPlaceSQL
	}
	var recorded models.Recorded
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := completeAttempt(tx, &attempt, outcome.Status); err != nil {
			return err
		}
		inserted := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&attempt)
		if inserted.Error != nil {
			return inserted.Error
		}
		if inserted.RowsAffected == 0 {
			return changeBy(tx, attempt, &recorded.Change)
		}
		if err := s.markLate(tx, attempt.StartedAt); err != nil {
			return err
		}
		var delivery models.Delivery
		updated := tx.Model(&delivery).Clauses(returningDelivery).Where("id = ?", attempt.DeliveryID)
		switch {
		case outcome.Status == models.StatusDelivered: // counts, whatever happened meanwhile
		case outcome.WithoutWorkflow():
			updated = updated.Where("status = 'pending'")
		case attempt.Trigger != models.TriggerResend:
			updated = updated.Where("status <> 'cancelled'")
		}
		updated = updated.Updates(changes)
		switch {
		case updated.Error != nil:
			return updated.Error
		case updated.RowsAffected == 0 && outcome.Status != models.StatusDelivered:
			recorded.Superseded = true
			return countOnly(tx, attempt)
		case updated.RowsAffected == 0:
			return errPurged
		case delivery.Erased:
			return eraseAnswers(tx.Where("id = ?", attempt.ID))
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
func countOnly(tx *gorm.DB, attempt models.Attempt) error {
	var delivery models.Delivery
	counted := tx.Model(&delivery).Clauses(returningDelivery).Where("id = ?", attempt.DeliveryID).Update("attempt_count", gorm.Expr("attempt_count + 1"))
	if counted.Error == nil && counted.RowsAffected == 0 {
		return errPurged
	}
	if counted.Error == nil && delivery.Erased {
		counted.Error = eraseAnswers(tx.Where("id = ?", attempt.ID))
	}
	if counted.Error == nil && attempt.GaveUp != nil {
		return tx.Model(&models.Attempt{}).Where("id = ?", attempt.ID).Update("gave_up", nil).Error
	}
	return counted.Error
}

// completeAttempt says of an attempt what its delivery and its outcome say. Whose it is, who recorded it later does not
// know.
func completeAttempt(tx *gorm.DB, attempt *models.Attempt, status models.Status) error {
	if status == models.StatusPermanentlyFailed {
		gaveUp := true
		attempt.GaveUp = &gaveUp
	}
	if attempt.WebhookKey != "" {
		return nil
	}
	var delivery models.Delivery
	err := tx.Select("webhook_id", "owner_id").Where("id = ?", attempt.DeliveryID).Limit(1).Find(&delivery).Error
	*attempt = attempt.Of(delivery)
	return err
}
