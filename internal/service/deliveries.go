package service

import (
	"context"
	"errors"
	"slices"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type deliveryStore interface {
	Delivery(ctx context.Context, scope models.Scope, id string) (models.Delivery, error)
	Deliveries(ctx context.Context, scope models.Scope, filter models.DeliveryFilter, page models.Page) ([]models.Delivery, models.Cursors, error)
	FirstInQueues(ctx context.Context, webhookIDs []string) (map[string]string, error)
	Attempts(ctx context.Context, deliveryID string) ([]models.Attempt, error)
}

type deliveryDispatcher interface {
	Resend(ctx context.Context, delivery models.Delivery, requestedBy string) error
	Cancel(ctx context.Context, delivery models.Delivery) error
}

// attemptsShown is how many attempts are shown with a delivery.
const attemptsShown = 20

// ListDeliveries returns a page of deliveries with the cursors of those beside. With a search, a page may have fewer than asked
// for, also none, although another one follows.
func (s *Service) ListDeliveries(ctx context.Context, who Caller, filter models.DeliveryFilter, page models.Page) ([]models.Delivery, models.Cursors, error) {
	for _, err := range []error{
		checkFilter(typeid.KindWebhook, "webhook_id", filter.WebhookIDs),
		checkFilter(typeid.KindEvent, "event_id", filter.EventIDs),
		s.ownerFilter(ctx, who, &filter.OwnerIDs),
		checkEventFilter(filter.Events),
	} {
		if err != nil {
			return nil, models.Cursors{}, err
		}
	}
	if text := filter.Search.Text; text != "" {
		var err error
		if filter.Search, err = models.ParseSearch(text); err != nil {
			return nil, models.Cursors{}, invalid("search", err.Error())
		}
	}
	deliveries, beside, err := s.store.Deliveries(ctx, who.scope(), filter, page)
	if errors.Is(err, models.ErrSearchTooWide) {
		return nil, models.Cursors{}, invalid("search", models.ErrSearchTooWide.Error())
	}
	if err != nil {
		return nil, models.Cursors{}, err
	}
	return deliveries, beside, s.withQueues(ctx, deliveries)
}

// GetDelivery returns a delivery with its newest 20 attempts, in the order in which they were made.
func (s *Service) GetDelivery(ctx context.Context, who Caller, id string) (models.Delivery, []Attempt, error) {
	delivery, err := load(ctx, who, typeid.KindDelivery, id, s.store.Delivery)
	if err != nil {
		return models.Delivery{}, nil, err
	}
	with := models.AttemptContents{ResponseBody: true, RequestHeaders: true, ResponseHeaders: true}
	attempts, _, err := s.attemptsOf(ctx, who, delivery, with, models.Page{Limit: attemptsShown})
	if err != nil {
		return models.Delivery{}, nil, err
	}
	slices.Reverse(attempts)
	shown := []models.Delivery{delivery}
	err = s.withQueues(ctx, shown)
	return shown[0], attempts, err
}

// ResendDelivery has a delivery tried again now.
func (s *Service) ResendDelivery(ctx context.Context, who Caller, id string) (models.Delivery, error) {
	delivery, err := load(ctx, who, typeid.KindDelivery, id, s.store.Delivery)
	if err != nil {
		return models.Delivery{}, err
	}
	if err := s.dispatcher.Resend(ctx, delivery, who.KeyID); err != nil {
		return models.Delivery{}, err
	}
	s.audit(ctx, who, "resend-delivery", delivery.ID, delivery.OwnerID)
	return delivery, nil
}

// CancelDelivery stops a delivery that waits. One that has ended is models.ErrFinished.
func (s *Service) CancelDelivery(ctx context.Context, who Caller, id string) (models.Delivery, error) {
	delivery, err := load(ctx, who, typeid.KindDelivery, id, s.store.Delivery)
	if err != nil {
		return models.Delivery{}, err
	}
	if err := s.dispatcher.Cancel(ctx, delivery); err != nil {
		return models.Delivery{}, err
	}
	s.audit(ctx, who, "cancel-delivery", delivery.ID, delivery.OwnerID)
	return delivery, nil
}
