package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// address settles whom a new event is for.
func address(e *models.Event) {
	switch {
	case e.Broadcast:
		e.OwnerID, e.Broadcast = "", false
	case e.OwnerID == "":
		e.OwnerID = models.DefaultOwnerID
	}
}

// sameRequest says whether two events with one idempotency key are the same request. The trace may be another: a client
// that asks again begins a new part of it.
func sameRequest(e, other models.Event) bool {
	if e.ErasedAt != nil {
		return e.Type == other.Type // what can be compared
	}
	return e.Type == other.Type && bytes.Equal(e.Data, other.Data) && slices.Equal(e.WebhookIDs, other.WebhookIDs) &&
		sameTime(e.OccurredAt, other.OccurredAt) && sameDue(e, other) && maps.Equal(e.Metadata, other.Metadata)
}

// sameDue says whether a stored event and a request are to be delivered at the same time, or so long after publishing.
func sameDue(stored, request models.Event) bool {
	if request.Delay == nil {
		return sameTime(stored.DeliverAt, request.DeliverAt)
	}
	at := stored.CreatedAt.Add(*request.Delay)
	return sameTime(stored.DeliverAt, asStored(&at))
}

func sameTime(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// Event returns one event, or ErrNotFound. Of an event that was broadcast, an owner sees what concerns the owner: the
// event itself and the number of the owner's deliveries; without any, it is not found.
func (s *Store) Event(ctx context.Context, scope models.Scope, id string) (models.Event, error) {
	var event models.Event
	q := s.db.WithContext(ctx).Where("id = ?", id)
	if scope.OwnerID != "" {
		q = q.Where("owner_id IN ?", []string{scope.OwnerID, ""})
	}
	if err := q.Take(&event).Error; err != nil {
		return models.Event{}, fmt.Errorf("load event: %w", oneRow(err))
	}
	if scope.OwnerID == "" || event.OwnerID != "" {
		return event, nil
	}
	var deliveries int64
	err := visible(scope, s.db.WithContext(ctx).Model(&models.Delivery{})).Where("event_id = ?", id).Count(&deliveries).Error
	if err == nil && deliveries == 0 {
		err = models.ErrNotFound
	}
	if err != nil {
		return models.Event{}, fmt.Errorf("load event: %w", err)
	}
	event.DeliveryCount = int(deliveries)
	return event, nil
}

// Events lists events, newest first, with the cursors of the pages beside.
func (s *Store) Events(ctx context.Context, scope models.Scope, filter models.EventFilter, page models.Page) ([]models.Event, models.Cursors, error) {
	of := listing[models.Event]{
		kind: typeid.KindEvent, id: func(e models.Event) string { return e.ID },
		filters: []oneOf{is("event", filter.Types), is("owner_id", filter.OwnerIDs)}, omit: []string{"data"},
	}
	if filter.WithData {
		of.fill = func(events []models.Event) (int, error) {
			data, err := s.payloads(ctx, &models.Event{}, "data", idsOf(events, of.id))
			for i := range data {
				events[i].Data = data[i]
			}
			return len(data), err
		}
	}
	q := between(visible(scope, s.db.WithContext(ctx)), typeid.KindEvent, filter.Since, filter.Until)
	events, cursors, err := list(q, page, of)
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list events: %w", err)
	}
	return events, cursors, nil
}
