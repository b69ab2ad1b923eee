package store

import (
	"context"
	"fmt"
	"time"

	"github.com/postrider/postrider/models"
)

// CountedHours returns what is counted of some webhooks by hour from a time on, without their histograms: of hours that are
// over and counted, and of those in which anything happened.
func (s *Store) CountedHours(ctx context.Context, webhookIDs []string, from time.Time) ([]models.Statistics, error) {
	if len(webhookIDs) == 0 {
		return nil, nil
	}
	var rows []models.Statistics
	err := s.db.WithContext(ctx).Select("subject", "hour", "published", "delivered", "given_up", "attempts", "failed").
		Where("subject IN ? AND event = '' AND hour >= ?", webhookIDs, from.UTC()).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read counted hours: %w", err)
	}
	return rows, nil
}
