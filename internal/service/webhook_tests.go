package service

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// TestWebhook sends a test event to a webhook, or the catalogue's example of an event type, and returns the attempt, which
// may have failed.
func (s *Service) TestWebhook(ctx context.Context, who Caller, id, eventType string) (models.Attempt, error) {
	webhook, err := load(ctx, who, typeid.KindWebhook, id, s.store.Webhook)
	if err != nil {
		return models.Attempt{}, err
	}
	delivery, err := s.test(ctx, webhook, eventType)
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

func (s *Service) test(ctx context.Context, webhook models.Webhook, eventType string) (models.Delivery, error) {
	if eventType == "" {
		return s.dispatcher.Test(ctx, webhook)
	}
	of, err := s.store.EventType(ctx, eventType)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return models.Delivery{}, invalid("event_type", "the catalogue has no such event type")
	case err != nil:
		return models.Delivery{}, err
	case of.Example == nil:
		return models.Delivery{}, invalid("event_type", "has no example in the catalogue; give it one first")
	}
	return s.dispatcher.TestExample(ctx, webhook, of.Name, of.Example)
}
