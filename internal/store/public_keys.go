package store

import (
	"context"
	"fmt"

	"github.com/postrider/postrider/models"
)

// PublicKeys returns the public keys of the newest webhooks that have some, or of one webhook.
func (s *Store) PublicKeys(ctx context.Context, webhookID string, limit int) ([]models.PublicKeys, error) {
	q := s.db.WithContext(ctx).Model(&models.Webhook{}).Where("public_keys <> '' AND deleted_at IS NULL")
	if webhookID != "" {
		q = q.Where("id = ?", webhookID)
	}
	var keys []models.PublicKeys
	if err := q.Order("id DESC").Limit(limit).Pluck("public_keys", &keys).Error; err != nil {
		return nil, fmt.Errorf("list public keys: %w", err)
	}
	return keys, nil
}
