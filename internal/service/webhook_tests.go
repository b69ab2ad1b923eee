package service

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// TestWebhook sends a test event to a webhook and returns the attempt, which may have failed.
func (s *Service) TestWebhook(ctx context.Context, who Caller, id string) (models.Attempt, error) {
	webhook, err := load(ctx, who, typeid.KindWebhook, id, s.store.Webhook)
	if err != nil {
		return models.Attempt{}, err
	}
	delivery, err := s.dispatcher.Test(ctx, webhook)
	if err != nil {
		return models.Attempt{}, err
	}
	attempts, err := s.store.Attempts(ctx, delivery.ID)
	if err != nil {
		return models.Attempt{}, err
	}
	if len(attempts) == 0 {
		return models.Attempt{}, errors.New("test ended without an attempt")
	}
	s.audit(ctx, who, "test-webhook", webhook.ID, webhook.OwnerID)
	return attempts[len(attempts)-1], nil
}
