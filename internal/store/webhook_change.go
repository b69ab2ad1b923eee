package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// startAnew ends what a change of a webhook makes untrue, within its transaction: what its attempts were held back by.
func startAnew(tx *gorm.DB, before, now models.Webhook) error {
	if err := changeQueue(tx, now.ID, before.Queueing, now.Queueing); err != nil {
		return err
	}
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
	if now.Active && !before.Active || !models.SameRateLimit(now.RateLimit, before.RateLimit) {
		return newTimetable(tx, now, now.UpdatedAt)
	}
	return nil
}

// WaitingDeliveries returns the IDs of a webhook's deliveries that wait with a status, pending or failed, oldest first,
// from behind the one with the ID after. Those that wait for others in a queue, or are to be
// delivered later, are not among them.
func (s *Store) WaitingDeliveries(ctx context.Context, webhookID string, status models.Status, after string, limit int) ([]string, error) {
	var ids []string
	err := s.db.WithContext(ctx).Model(&models.Delivery{}).
		Where("webhook_id = ? AND id > ?", webhookID, after).Where(waitingWith(status)).Where(inTurnSQL).
		Where("NOT EXISTS (SELECT 1 FROM events e WHERE e.id = deliveries.event_id AND e.deliver_at > ?)", s.Now()).
		Order("id").Limit(limit).Pluck("id", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("list waiting deliveries: %w", err)
	}
	return ids, nil
}

// waitingWith names the status in the statement, so that the indexes of what waits are used: there are few of these
// beside those that arrived.
func waitingWith(status models.Status) string {
	if status == models.StatusPending {
		return "status = 'pending'"
	}
	return "status = 'failed'"
}
