package store

import (
	"context"
	"fmt"

	"github.com/postrider/postrider/models"
)

// WebhooksOf returns those of some webhook IDs that belong to an owner and are not deleted.
func (s *Store) WebhooksOf(ctx context.Context, ownerID string, ids []string) ([]string, error) {
	var known []string
	err := s.db.WithContext(ctx).Model(&models.Webhook{}).
		Where("owner_id = @owner AND deleted_at IS NULL AND "+amongSQL(s.db, "id"), map[string]any{"owner": ownerID, "ids": idList(s.db, ids)}).
		Pluck("id", &known).Error
	if err != nil {
		return nil, fmt.Errorf("look up webhooks: %w", err)
	}
	return known, nil
}
