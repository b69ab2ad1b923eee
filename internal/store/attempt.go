package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Attempts returns a delivery's attempts in their order.
func (s *Store) Attempts(ctx context.Context, deliveryID string) ([]models.Attempt, error) {
	var attempts []models.Attempt
	err := s.db.WithContext(ctx).Where("delivery_id = ?", deliveryID).Order("number, id").Find(&attempts).Error
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	return attempts, nil
}

// AttemptsPage lists attempts, the last first, with the cursor of the next page.
func (s *Store) AttemptsPage(ctx context.Context, filter models.AttemptFilter, page models.Page) ([]models.Attempt, string, error) {
	q := s.db.WithContext(ctx).Where("delivery_id = ?", filter.DeliveryID)
	if !filter.WithBody {
		q = q.Omit("response_body")
	}
	direction, behind := "DESC", "<"
	if page.OldestFirst {
		direction, behind = "", ">"
	}
	if page.Cursor != "" {
		last, err := s.attemptAt(ctx, filter.DeliveryID, page)
		if err != nil {
			return nil, "", fmt.Errorf("list attempts: %w", err)
		}
		q = q.Where("(number, id) "+behind+" (?, ?)", last.Number, last.ID)
	}
	// By number, as the index has them.
	q = q.Order("number " + direction + ", id " + direction).Limit(pageLimit(page) + 1)
	var attempts []models.Attempt
	if err := q.Find(&attempts).Error; err != nil {
		return nil, "", fmt.Errorf("list attempts: %w", err)
	}
	attempts, next := cut(page, attempts, func(a models.Attempt) string { return a.ID })
	return attempts, next, nil
}

// attemptAt finds the attempt that a cursor stands for.
func (s *Store) attemptAt(ctx context.Context, deliveryID string, page models.Page) (models.Attempt, error) {
	id, err := positionOf(page, typeid.KindAttempt)
	if err != nil {
		return models.Attempt{}, err
	}
	var attempt models.Attempt
	err = s.db.WithContext(ctx).Select("id", "number").Where("id = ? AND delivery_id = ?", id, deliveryID).Take(&attempt).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.Attempt{}, models.ErrBadCursor
	}
	return attempt, err
}

// Job loads what the attempt with the given ID needs, in one statement. A delivery that is not there
// (any more) is ErrNotFound.
func (s *Store) Job(ctx context.Context, deliveryID, attemptID string) (models.Job, error) {
	var job models.Job
	result := s.db.WithContext(ctx).Raw(s.jobSQL, attemptID, deliveryID).Scan(&job)
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
		columns(db, "w", models.Webhook{}) + ", " + columns(db, "h", models.WebhookHealth{}) + ", " + columns(db, "a", models.Attempt{}) + `
		FROM deliveries d JOIN events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id
		LEFT JOIN webhook_health h ON h.webhook_id = d.webhook_id
		LEFT JOIN attempts a ON a.id = ? AND a.delivery_id = d.id
		WHERE d.id = ?`
}
