package service

import (
	"context"

	"github.com/postrider/postrider/models"
)

// withQueues adds to deliveries which one each of them waits for. It asks only about those that stand in a queue.
func (s *Service) withQueues(ctx context.Context, deliveries []models.Delivery) error {
	var webhooks []string
	for _, delivery := range deliveries {
		if delivery.Queued() {
			webhooks = append(webhooks, delivery.WebhookID)
		}
	}
	if len(webhooks) == 0 {
		return nil
	}
	first, err := s.store.FirstInQueues(ctx, webhooks)
	if err != nil {
		return err
	}
	for i := range deliveries {
		delivery := &deliveries[i]
		if delivery.Queued() && first[delivery.WebhookID] != delivery.ID {
			delivery.WaitsFor = first[delivery.WebhookID]
		}
	}
	return nil
}
