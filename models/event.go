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
	// OwnerID is whose webhooks get the event; empty when it was broadcast: it went to every matching webhook.
	OwnerID string
	// Broadcast asks Publish for that. Without it, an event that names no owner is DefaultOwnerID's: one forgotten
	// field must not send what is one customer's to all.
	Broadcast bool   `gorm:"-"`
	Type      string `gorm:"column:event"`
	// Data is the publisher's JSON, byte for byte.
	Data []byte
	// IdempotencyKey is the publisher's name for the event, unique with OwnerID; nil for none.
	IdempotencyKey *string
	// DeliveryCount is how many webhooks matched.
	DeliveryCount int `gorm:"column:deliveries"`
	CreatedAt     time.Time
}

// address settles whom a new event is for.
func address(e *Event) {
	switch {
	case e.Broadcast:
		e.OwnerID, e.Broadcast = "", false
	case e.OwnerID == "":
		e.OwnerID = DefaultOwnerID
	}
}

// sameRequest says whether two events with one idempotency key are the same request.
func sameRequest(e, other Event) bool {
	return e.Type == other.Type && bytes.Equal(e.Data, other.Data)
}

// Event returns one event, or ErrNotFound. Of an event that was broadcast, an owner sees what concerns the owner: the
// event itself and the number of the owner's deliveries; without any, it is not found.
func (s *Store) Event(ctx context.Context, scope Scope, id string) (Event, error) {
	var event Event
	q := s.db.WithContext(ctx).Where("id = ?", id)
	if scope.OwnerID != "" {
		q = q.Where("owner_id IN ?", []string{scope.OwnerID, ""})
	}
	if err := q.Take(&event).Error; err != nil {
		return Event{}, fmt.Errorf("load event: %w", oneRow(err))
	}
	if scope.OwnerID == "" || event.OwnerID != "" {
		return event, nil
	}
	var deliveries int64
	err := visible(scope, s.db.WithContext(ctx).Model(&Delivery{})).Where("event_id = ?", id).Count(&deliveries).Error
	if err == nil && deliveries == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Event{}, fmt.Errorf("load event: %w", err)
	}
	event.DeliveryCount = int(deliveries)
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
	q := visible(scope, s.db.WithContext(ctx)).Omit("data")
	if filter.Type != "" {
		q = q.Where("event = ?", filter.Type)
	}
	if filter.OwnerID != "" {
		q = q.Where("owner_id = ?", filter.OwnerID)
	}
	q = between(q, KindEvent, filter.Since, filter.Until)
	q, err := onPage(page, q, KindEvent)
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
