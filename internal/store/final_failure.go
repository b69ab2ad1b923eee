package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// FinalFailure loads what the notice of a final failure says. ErrNotFound when the delivery, its webhook or
// its owner is gone.
func (s *Store) FinalFailure(ctx context.Context, deliveryID string) (models.FinalFailure, error) {
	var failure models.FinalFailure
	db := s.db.WithContext(ctx)
	for _, step := range []func() *gorm.DB{
		func() *gorm.DB { return db.Where("id = ?", deliveryID).Take(&failure.Delivery) },
		func() *gorm.DB { return db.Where("id = ?", failure.Delivery.WebhookID).Take(&failure.Webhook) },
		func() *gorm.DB { return db.Where("webhook_id = ?", failure.Webhook.ID).Find(&failure.Health) },
		func() *gorm.DB { return db.Where("id = ?", failure.Delivery.OwnerID).Take(&failure.Owner) },
		func() *gorm.DB { return db.Where("delivery_id = ?", deliveryID).Order("number").Take(&failure.First) },
		func() *gorm.DB {
			return db.Where("delivery_id = ?", deliveryID).Order("number DESC").Take(&failure.Last)
		},
	} {
		if err := step().Error; err != nil {
			return models.FinalFailure{}, fmt.Errorf("load final failure: %w", oneRow(err))
		}
	}
	return failure, nil
}
