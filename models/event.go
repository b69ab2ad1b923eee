package models

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// EventTest is the type of the event that POST /api/webhooks/{id}/test sends.
const EventTest = "webhook.test"

// Event is something that happened, published once.
type Event struct {
	ID string `gorm:"primaryKey"`
	// OwnerID limits the event to one owner's webhooks; empty when it goes to every matching webhook.
	OwnerID string
	Type    string `gorm:"column:event"`
	// Data is the publisher's JSON, byte for byte.
	Data []byte
	// IdempotencyKey is the publisher's name for the event, unique with OwnerID; nil for none.
	IdempotencyKey *string
	// DeliveryCount is how many webhooks matched.
	DeliveryCount int `gorm:"column:deliveries"`
	CreatedAt     time.Time
}

// sameAs says whether two events with one idempotency key are the same request.
func (e Event) sameAs(other Event) bool {
	return e.Type == other.Type && bytes.Equal(e.Data, other.Data)
}

// Event returns one event, or ErrNotFound.
func (s *Store) Event(ctx context.Context, scope Scope, id string) (Event, error) {
	var event Event
	if err := scope.apply(s.db.WithContext(ctx)).Where("id = ?", id).Take(&event).Error; err != nil {
		return Event{}, fmt.Errorf("load event: %w", oneRow(err))
	}
	return event, nil
}

// EventFilter narrows a list of events; its zero value narrows nothing.
type EventFilter struct {
	Type         string
	OwnerID      string
	Since, Until time.Time
	// WithData loads the data too, on pages of MaxPageBytes at most; without it Data is nil.
	WithData bool
}

// Events lists events, newest first, with the cursor of the next page.
func (s *Store) Events(ctx context.Context, scope Scope, filter EventFilter, page Page) ([]Event, string, error) {
	q := scope.apply(s.db.WithContext(ctx)).Omit("data")
	if filter.Type != "" {
		q = q.Where("event = ?", filter.Type)
	}
	if filter.OwnerID != "" {
		q = q.Where("owner_id = ?", filter.OwnerID)
	}
	q = between(q, KindEvent, filter.Since, filter.Until)
	q, err := page.apply(q, KindEvent)
	if err != nil {
		return nil, "", err
	}
	var events []Event
	if err := q.Find(&events).Error; err != nil {
		return nil, "", fmt.Errorf("list events: %w", err)
	}
	id := func(e Event) string { return e.ID }
	events, next := cut(page, events, id)
	if !filter.WithData {
		return events, next, nil
	}
	data, err := s.payloads(ctx, &Event{}, "data", idsOf(events, id))
	if err != nil {
		return nil, "", fmt.Errorf("list events: %w", err)
	}
	if fit := len(data); fit < len(events) {
		events, next = cutAt(events, fit, id)
	}
	for i := range events {
		events[i].Data = data[i]
	}
	return events, next, nil
}
