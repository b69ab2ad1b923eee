package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// Job loads what the attempt with an ID needs, in one statement. A delivery that does not exist, or was purged, is
// ErrNotFound.
func (s *Store) Job(ctx context.Context, deliveryID, attemptID string) (models.Job, error) {
	var job models.Job
	result := s.db.WithContext(ctx).Raw(s.jobSQL, attemptID, deliveryID).Find(&job)
	switch {
	case result.Error != nil:
		return models.Job{}, fmt.Errorf("load delivery: %w", result.Error)
	case result.RowsAffected == 0:
		return models.Job{}, fmt.Errorf("load delivery: %w", models.ErrNotFound)
	}
	return job, nil
}

func jobSQL(db *gorm.DB) string {
	return "SELECT " + columns(db, "d", models.Delivery{}) + ", " + columns(db, "e", models.Event{}) + ", " +
		columns(db, "w", models.Webhook{}) + ", " + columns(db, "h", models.WebhookHealth{}) + ", " + columns(db, "a", models.Attempt{}) + `,
		CASE WHEN w.ordered AND d.place IS NOT NULL THEN COALESCE((` + behindSQL + `), '') ELSE '' END AS behind
		FROM deliveries d JOIN events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id
		LEFT JOIN webhook_health h ON h.webhook_id = d.webhook_id
		LEFT JOIN attempts a ON a.id = ? AND a.delivery_id = d.id
		WHERE d.id = ?`
}
