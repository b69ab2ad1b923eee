package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// CancelDelivery marks a delivery as cancelled for a cause, with the reason for people, and takes it out of its webhook's
// queue. One that has ended is ErrFinished, unless the queue waits for it.
func (s *Store) CancelDelivery(ctx context.Context, id string, cause models.CancelCause, reason string) error {
	result := s.db.WithContext(ctx).Model(&models.Delivery{}).
		Where("id = ? AND (status IN ('pending', 'failed') OR status = 'permanently_failed' AND place IS NOT NULL)", id).
		Updates(map[string]any{
			"status": models.StatusCancelled, "cancel_reason": reason, "cancel_cause": cause, "next_attempt_at": nil,
			"ended_at": endedSQL(s.Now()), "leased_until": leaseOfAttemptSQL, "place": nil,
		})
	if result.Error != nil {
		return fmt.Errorf("cancel delivery: %w", result.Error)
	}
	// Behind the commit, so that of several that are cancelled at once one sees that none is left, and also when the
	// delivery had ended: a call that is repeated makes up for one that failed here.
	if err := s.freeReservations(ctx, id); err != nil {
		return fmt.Errorf("cancel delivery: %w", err)
	}
	if result.RowsAffected == 0 {
		return fmt.Errorf("cancel delivery: %w", models.ErrFinished)
	}
	return nil
}

// leaseOfAttemptSQL keeps the lease of a first attempt that may be under way without a workflow, and ends that of a
// postponed delivery: see Delivery.LeftFor.
var leaseOfAttemptSQL = gorm.Expr("CASE WHEN next_attempt_at IS NULL THEN leased_until END")

// endedSQL is when a delivery that is cancelled now has ended: by this host's clock, but never before its webhook began to
// fail by the clock of another host. A recovery since the first failure then includes it.
func endedSQL(now time.Time) any {
	return gorm.Expr(`COALESCE((SELECT h.first_failure_at FROM webhook_health h
		WHERE h.webhook_id = deliveries.webhook_id AND h.first_failure_at > ?), ?)`, now, now)
}

// endInStretch makes a delivery that is given up end no earlier than the first failure of its webhook. Of two attempts
// that fail at the same time, the one recorded first may have failed last, and its time is the one that owners recover
// from.
func endInStretch(tx *gorm.DB, outcome models.Outcome, health models.WebhookHealth) error {
	began := health.FirstFailureAt
	if outcome.Status != models.StatusPermanentlyFailed || began == nil || !began.After(outcome.AnsweredAt()) {
		return nil
	}
	return tx.Model(&models.Delivery{}).Where("id = ?", outcome.Attempt.DeliveryID).Update("ended_at", began.UTC()).Error
}
