package service

import (
	"context"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const maxIdempotencyKey = 255

type eventStore interface {
	Event(ctx context.Context, scope models.Scope, id string) (models.Event, error)
	Events(ctx context.Context, scope models.Scope, filter models.EventFilter, page models.Page) ([]models.Event, models.Cursors, error)
	WebhooksOf(ctx context.Context, ownerID string, ids []string) ([]string, error)
}

type eventDispatcher interface {
	Publish(ctx context.Context, event models.Event) (models.Published, error)
	PublishAll(ctx context.Context, events []models.Event) ([]models.BatchOutcome, error)
	Erase(ctx context.Context, eventID string) (models.Event, error)
}

// Publish stores an event with its deliveries and returns when that is durable. Of the event, the caller gives the type,
// the data, the owner or broadcast, and perhaps what else it has of its own.
func (s *Service) Publish(ctx context.Context, who Caller, event models.Event) (models.Published, error) {
	if err := s.publishable(ctx, who, &event, s.addressee); err != nil {
		return models.Published{}, err
	}
	return s.dispatcher.Publish(ctx, event)
}

// addressing checks, and completes, who gets an event.
type addressing func(ctx context.Context, who Caller, event *models.Event, wrong *faults) error

// publishable checks an event, completes it, and counts it among what its owner may publish.
func (s *Service) publishable(ctx context.Context, who Caller, event *models.Event, address addressing) error {
	var wrong faults
	wrong.event(*event)
	wrong.due(*event, s.now())
	if err := address(ctx, who, event, &wrong); err != nil {
		return err
	}
	if err := s.fits(ctx, *event, &wrong); err != nil {
		return err
	}
	if err := wrong.err(); err != nil {
		return err
	}
	return s.mayPublish(ctx, who, len(event.Data))
}

// event checks all of an event but who gets it.
func (f *faults) event(event models.Event) {
	if models.CheckEventType(event.Type) != nil {
		f.add("event", "expected words of letters, digits, _ and - joined by dots, such as order.created, at most 128 characters")
	}
	if models.Reserved(event.Type) {
		f.add("event", "event types that begin with postrider.delivery. or postrider.webhook. are published by Postrider itself")
	}
	if !utf8.Valid(event.Data) {
		f.add("data", "expected JSON in UTF-8")
	}
	if event.IdempotencyKey != nil {
		f.idempotencyKey(*event.IdempotencyKey)
	}
	f.eventMetadata(event.Metadata)
}

// addressee checks, and completes, who gets an event: an owner's webhooks or, when an administrator says so, everyone's.
func (s *Service) addressee(ctx context.Context, who Caller, event *models.Event, wrong *faults) error {
	switch {
	case event.Broadcast && !who.Admin():
		wrong.add("broadcast", "only an administrator's key publishes to all owners; leave it out to publish to your own webhooks")
	case event.Broadcast && event.OwnerID != "":
		wrong.add("broadcast", "an event goes to one owner or to all: leave out owner_id or broadcast")
	case event.OwnerID != "" || !who.Admin():
		before := len(wrong.fields)
		id, err := s.ownerOf(ctx, who, event.OwnerID, wrong)
		if event.OwnerID = id; err != nil || len(wrong.fields) > before {
			return err
		}
	}
	return s.named(ctx, event, wrong)
}

// ListEvents returns a page of events with the cursors of those beside.
func (s *Service) ListEvents(ctx context.Context, who Caller, filter models.EventFilter, page models.Page) ([]models.Event, models.Cursors, error) {
	if err := s.ownerFilter(ctx, who, &filter.OwnerIDs); err != nil {
		return nil, models.Cursors{}, err
	}
	if err := checkEventFilter(filter.Types); err != nil {
		return nil, models.Cursors{}, err
	}
	events, beside, err := s.store.Events(ctx, who.scope(), filter, page)
	for i := range events {
		events[i] = who.shown(events[i])
	}
	return events, beside, err
}

// shown is an event as the caller may see it.
func (c Caller) shown(event models.Event) models.Event {
	if !c.seesPayloads() {
		event.Data = nil
	}
	return event
}

// EventAlone returns an event without its deliveries.
func (s *Service) EventAlone(ctx context.Context, who Caller, id string) (models.Event, error) {
	event, err := load(ctx, who, typeid.KindEvent, id, s.store.Event)
	return who.shown(event), err
}

// GetEvent returns an event with its newest deliveries, at most models.MaxLimit.
func (s *Service) GetEvent(ctx context.Context, who Caller, id string) (models.Event, []models.Delivery, error) {
	event, err := s.EventAlone(ctx, who, id)
	if err != nil {
		return models.Event{}, nil, err
	}
	deliveries, err := s.deliveriesOf(ctx, who, event.ID)
	return event, deliveries, err
}

// deliveriesOf returns the newest deliveries of an event.
func (s *Service) deliveriesOf(ctx context.Context, who Caller, eventID string) ([]models.Delivery, error) {
	deliveries, _, err := s.store.Deliveries(ctx, who.scope(), models.DeliveryFilter{EventIDs: []string{eventID}}, models.Page{Limit: models.MaxLimit})
	if err != nil {
		return nil, err
	}
	return deliveries, s.withQueues(ctx, deliveries)
}

// EraseEvent erases an event's data and its copies. One that was broadcast is for administrators: else it is
// ErrEraseBroadcast.
func (s *Service) EraseEvent(ctx context.Context, who Caller, id string) error {
	event, err := load(ctx, who, typeid.KindEvent, id, s.store.Event)
	switch {
	case err != nil:
		return err
	case event.OwnerID == "" && !who.Admin():
		return ErrEraseBroadcast
	}
	erased, err := s.dispatcher.Erase(ctx, event.ID)
	if err != nil {
		return err
	}
	s.audit(ctx, who, "erase-event", erased.ID, erased.OwnerID)
	return nil
}
