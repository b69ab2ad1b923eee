package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Publish stores an event and one pending delivery for every matching webhook, in one transaction. An
// idempotency key used before returns the first event, or ErrIdempotencyConflict when that one differs.
//
// On PostgreSQL, events that are published at the same time share a transaction, unless they have many deliveries or
// webhooks with filters.
func (s *Store) Publish(ctx context.Context, event models.Event) (models.Published, error) {
	s.identify(&event)
	var published models.Published
	err := unlessDeadlocked(func() (err error) {
		published, err = s.publish(ctx, event)
		return err
	})
	if errors.Is(err, errKeyUsed) {
		if published, err = s.publishedBefore(ctx, event); err == nil && !published.Duplicate {
			err = errKeyUsed // by a transaction that was rolled back meanwhile
		}
	}
	if err != nil {
		return models.Published{}, fmt.Errorf("publish event: %w", err)
	}
	return published, nil
}

// errKeyUsed says that an event with the same idempotency key is stored.
var errKeyUsed = errors.New("idempotency key used before")

// publish stores an event together with those that are published at the same time, or alone: with many deliveries, or
// where filters have to be asked.
func (s *Store) publish(ctx context.Context, event models.Event) (models.Published, error) {
	if s.publishing == nil {
		return s.publishAlone(ctx, event)
	}
	outcome, err := publishOutcome{wide: true}, error(nil)
	if event.OwnerID != "" {
		outcome, err = s.publishing.do(ctx, event)
	}
	if err == nil && outcome.wide && !outcome.filtered {
		outcome, err = s.publishingWide.do(ctx, event)
	}
	if err == nil && outcome.filtered {
		return s.publishAlone(ctx, event)
	}
	if err == nil && outcome.keyUsed {
		err = errKeyUsed
	}
	return outcome.published, err
}

// publishAlone stores an event in a transaction of its own.
func (s *Store) publishAlone(ctx context.Context, event models.Event) (models.Published, error) {
	var published models.Published
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		published, err = s.insertEvent(tx, event, insertion{leasedUntil: s.leasedUntil(event)})
		return err
	})
	if len(published.Deliveries) > s.mostDeliveries {
		published.Deliveries = nil
	}
	if event.IdempotencyKey != nil && isUniqueViolation(err) {
		err = errKeyUsed
	}
	return published, err
}

func (s *Store) publishedBefore(ctx context.Context, event models.Event) (models.Published, error) {
	var first models.Event
	err := s.db.WithContext(ctx).
		Where("owner_id = ? AND idempotency_key = ?", event.OwnerID, *event.IdempotencyKey).Take(&first).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return models.Published{}, nil
	case err != nil:
		return models.Published{}, fmt.Errorf("look up idempotency key: %w", err)
	case !sameRequest(first, event):
		return models.Published{}, models.ErrIdempotencyConflict
	}
	return models.Published{Event: first, Duplicate: true}, nil
}

// PublishTest stores a webhook.test event for one webhook, active or not, and its single delivery, which is
// tried once. Data is the event's JSON.
func (s *Store) PublishTest(ctx context.Context, webhook models.Webhook, data []byte) (models.Delivery, error) {
	return s.publishTest(ctx, webhook, models.EventTest, data)
}

// PublishExample is PublishTest with an event of another type, which is for this webhook alone: no recovery brings it to
// others.
func (s *Store) PublishExample(ctx context.Context, webhook models.Webhook, eventType string, data []byte) (models.Delivery, error) {
	return s.publishTest(ctx, webhook, eventType, data)
}

func (s *Store) publishTest(ctx context.Context, webhook models.Webhook, eventType string, data []byte) (models.Delivery, error) {
	now := s.Now()
	event := models.Event{
		ID: typeid.New(typeid.KindEvent, now), OwnerID: webhook.OwnerID, Type: eventType, Data: data,
		WebhookIDs:    models.NewWebhookIDs([]string{webhook.ID}),
		DeliveryCount: 1, CreatedAt: now,
	}
	delivery := models.Delivery{
		ID: typeid.New(typeid.KindDelivery, now), EventID: event.ID, WebhookID: webhook.ID, OwnerID: webhook.OwnerID,
		Event: eventType, Host: webhook.Host, Status: models.StatusPending, Test: true, CreatedAt: now,
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&event).Error; err != nil {
			return err
		}
		return tx.Create(&delivery).Error
	})
	if err != nil {
		return models.Delivery{}, fmt.Errorf("publish test event: %w", err)
	}
	return delivery, nil
}
