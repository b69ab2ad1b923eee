package models

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// startAnew ends what a change of a webhook makes untrue, within its transaction: what its attempts were held back by.
func startAnew(tx *gorm.DB, before, now Webhook) error {
	if now.Active && !before.Active {
		if err := forgetFailures(tx, now.ID); err != nil {
			return err
		}
	}
	if now.URL != before.URL {
		if err := newReceiver(tx, now.ID); err != nil {
			return err
		}
	}
	if now.Active && !before.Active || !sameLimit(now.RateLimit, before.RateLimit) {
		return newTimetable(tx, now, now.UpdatedAt)
	}
	return nil
}

func sameLimit(a, b *float64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// LetsGo says that a change from an earlier state lets go what waits for the webhook: deliveries that were held back
// may be attempted sooner now. With retries that is so for those too that wait for their next scheduled attempt.
func (w Webhook) LetsGo(before Webhook) (letsGo, retries bool) {
	retries = w.URL != before.URL
	return w.Active && (retries || !before.Active || !sameLimit(w.RateLimit, before.RateLimit)), retries
}

// WaitingDeliveries returns the IDs of a webhook's deliveries that wait with a status, pending or failed, oldest first,
// from behind the one with the ID after.
func (s *Store) WaitingDeliveries(ctx context.Context, webhookID string, status Status, after string, limit int) ([]string, error) {
	var ids []string
	err := s.db.WithContext(ctx).Model(&Delivery{}).
		Where("webhook_id = ? AND id > ?", webhookID, after).Where(waitingWith(status)).
		Order("id").Limit(limit).Pluck("id", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("list waiting deliveries: %w", err)
	}
	return ids, nil
}

// waitingWith names the status in the statement, so that the indexes of what waits are used: there are few of these
// beside those that arrived.
func waitingWith(status Status) string {
	if status == StatusPending {
		return "status = 'pending'"
	}
	return "status = 'failed'"
}
