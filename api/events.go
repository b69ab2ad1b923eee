package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const maxIdempotencyKey = 255

// Event is something that happened, published once.
type Event struct {
	ID            string    `json:"id"`
	OwnerID       *string   `json:"owner_id" doc:"Whose webhooks it went to; null when it was broadcast to all owners'."`
	Event         string    `json:"event" doc:"Its type."`
	Data          RawJSON   `json:"data,omitempty" doc:"Only with include=data."`
	CreatedAt     time.Time `json:"created_at"`
	DeliveryCount int       `json:"delivery_count" doc:"How many webhooks matched."`
}

// EventDetail is an event with its deliveries.
type EventDetail struct {
	ID            string     `json:"id"`
	OwnerID       *string    `json:"owner_id" doc:"Whose webhooks it went to; null when it was broadcast to all owners'."`
	Event         string     `json:"event" doc:"Its type."`
	Data          RawJSON    `json:"data"`
	CreatedAt     time.Time  `json:"created_at"`
	DeliveryCount int        `json:"delivery_count" doc:"How many webhooks matched."`
	Deliveries    []Delivery `json:"deliveries" doc:"The newest 250; GET /api/deliveries?event_id= lists all."`
}

// PublishedEvent is the answer to a publisher.
type PublishedEvent struct {
	ID         string `json:"id"`
	Event      string `json:"event"`
	Deliveries int    `json:"deliveries" doc:"How many webhooks matched."`
	Duplicate  bool   `json:"duplicate" doc:"True when this Idempotency-Key was used before: nothing new was published."`
}

type publishInput struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Publishing again with the same key and body changes nothing."`
	Body           struct {
		Event   string  `json:"event" doc:"The event's type: words joined by dots." example:"order.created"`
		Data    RawJSON `json:"data"`
		OwnerID string  `json:"owner_id,omitempty" doc:"For administrators: whose webhooks get it; the owner default when left out."`
		// A forgotten owner_id must not send what is one customer's to all.
		Broadcast bool `json:"broadcast,omitempty" doc:"For administrators: the webhooks of all owners get it."`
	}
}

type eventPath struct {
	ID string `path:"id" doc:"The event's ID."`
}

type listEventsInput struct {
	PageQuery
	Event   string `query:"event" doc:"Only this type."`
	OwnerID string `query:"owner_id" doc:"Only this owner's."`
	Since   Time   `query:"since" doc:"Published at or after."`
	Until   Time   `query:"until" doc:"Published before."`
	Include string `query:"include" enum:"data" doc:"Data: with the events' data, and then fewer of them when they have over 4 MiB together."`
}

func (s *server) registerEvents(api huma.API) {
	const tag = "Events"
	huma.Register(api, operation("publish-event", http.MethodPost, "/events", tag, "Publish an event", http.StatusAccepted, 409), s.publish)
	huma.Register(api, operation("list-events", http.MethodGet, "/events", tag, "List events", http.StatusOK), s.listEvents)
	huma.Register(api, large(operation("get-event", http.MethodGet, "/events/{id}", tag, "Show an event with its deliveries", http.StatusOK, 404)), s.getEvent)
}

func (s *server) publish(ctx context.Context, in *publishInput) (*Output[PublishedEvent], error) {
	who := whoAsks(ctx)
	event := models.Event{Type: in.Body.Event, Data: in.Body.Data, OwnerID: in.Body.OwnerID, Broadcast: in.Body.Broadcast}
	var wrong faults
	if models.CheckEventType(event.Type) != nil {
		wrong.add("body.event", "expected words of letters, digits, _ and - joined by dots, such as order.created, at most 128 characters")
	}
	if models.Reserved(event.Type) {
		wrong.add("body.event", "event types that begin with postrider.delivery. or postrider.webhook. are published by Postrider itself")
	}
	if !utf8.Valid(event.Data) {
		wrong.add("body.data", "expected JSON in UTF-8")
	}
	if in.IdempotencyKey != "" {
		event.IdempotencyKey = &in.IdempotencyKey
		if len(in.IdempotencyKey) > maxIdempotencyKey || strings.ContainsFunc(in.IdempotencyKey, notVisibleASCII) {
			wrong.add("header.Idempotency-Key", "expected at most 255 visible ASCII characters")
		}
	}
	switch {
	case event.Broadcast && !who.admin():
		wrong.add("body.broadcast", "only an administrator's key publishes to all owners; leave it out to publish to your own webhooks")
	case event.Broadcast && event.OwnerID != "":
		wrong.add("body.broadcast", "an event goes to one owner or to all: leave out owner_id or broadcast")
	case !who.admin() && event.OwnerID != "" && event.OwnerID != who.ownerID:
		wrong.add("body.owner_id", unknownOwner)
	case !who.admin():
		event.OwnerID = who.ownerID
	case event.OwnerID != "" && typeid.Check(typeid.KindOwner, event.OwnerID) != nil:
		wrong.add("body.owner_id", unknownOwner)
	case event.OwnerID != "":
		_, err := s.Store.Owner(ctx, event.OwnerID)
		if errors.Is(err, models.ErrNotFound) {
			wrong.add("body.owner_id", unknownOwner)
		} else if err != nil {
			return nil, s.fail(ctx, err)
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if err := s.mayPublish(ctx, who, len(event.Data)); err != nil {
		return nil, err
	}
	published, err := s.Dispatcher.Publish(ctx, event)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[PublishedEvent]{PublishedEvent{
		ID: published.Event.ID, Event: published.Event.Type, Deliveries: published.Event.DeliveryCount,
		Duplicate: published.Duplicate,
	}}, nil
}

func notVisibleASCII(r rune) bool { return r < '!' || r > '~' }

func eventObject(e models.Event) Event {
	object := Event{
		ID: e.ID, OwnerID: orNull(e.OwnerID), Event: e.Type, CreatedAt: e.CreatedAt.UTC(), DeliveryCount: e.DeliveryCount,
	}
	if e.Data != nil {
		object.Data = compact(e.Data)
	}
	return object
}

// compact drops white space between tokens, as JSON encoders do with embedded values anyway.
func compact(data []byte) RawJSON {
	var buffer bytes.Buffer
	if json.Compact(&buffer, data) != nil {
		return RawJSON("null")
	}
	return buffer.Bytes()
}

func (s *server) listEvents(ctx context.Context, in *listEventsInput) (*ListOutput[Event], error) {
	if err := checkFilter(typeid.KindOwner, "owner_id", in.OwnerID); err != nil {
		return nil, err
	}
	if err := checkEventFilter(in.Event); err != nil {
		return nil, err
	}
	filter := models.EventFilter{Type: in.Event, OwnerID: in.OwnerID, Since: in.Since.Time, Until: in.Until.Time, WithData: in.Include == "data"}
	events, next, err := s.Store.Events(ctx, whoAsks(ctx).scope(), filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(events, next, eventObject), nil
}

func (s *server) getEvent(ctx context.Context, in *eventPath) (*Output[EventDetail], error) {
	if err := checkID(typeid.KindEvent, "event", in.ID); err != nil {
		return nil, err
	}
	event, err := s.Store.Event(ctx, whoAsks(ctx).scope(), in.ID)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "event", in.ID))
	}
	deliveries, _, err := s.Store.Deliveries(ctx, whoAsks(ctx).scope(),
		models.DeliveryFilter{EventID: event.ID}, models.Page{Limit: models.MaxLimit})
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	object := eventObject(event)
	return &Output[EventDetail]{EventDetail{
		ID: object.ID, OwnerID: object.OwnerID, Event: object.Event, Data: object.Data, CreatedAt: object.CreatedAt,
		DeliveryCount: object.DeliveryCount, Deliveries: listOf(deliveries, "", s.deliveryObject).Body.Data,
	}}, nil
}
