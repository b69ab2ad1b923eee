package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

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
	Event   []string `query:"event" maxItems:"20" doc:"Only these types."`
	OwnerID []string `query:"owner_id" maxItems:"20" doc:"Only these owners'."`
	Since   Time     `query:"since" doc:"Published at or after."`
	Until   Time     `query:"until" doc:"Published before."`
	Include string   `query:"include" enum:"data" doc:"Data: with the events' data, and then fewer of them when they have over 4 MiB together."`
}

func (s *server) registerEvents(api huma.API) {
	const tag = "Events"
	register(s, api, operation{
		ID: "publish-event", Method: http.MethodPost, Path: "/events", Tag: tag,
		Summary: "Publish an event", Status: http.StatusAccepted, Errors: []int{http.StatusConflict},
	}, s.publish)
	register(s, api, operation{
		ID: "list-events", Method: http.MethodGet, Path: "/events", Tag: tag,
		Summary: "List events", Status: http.StatusOK,
	}, s.listEvents)
	register(s, api, operation{
		ID: "get-event", Method: http.MethodGet, Path: "/events/{id}", Tag: tag,
		Summary: "Show an event with its deliveries", Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Large: true,
	}, s.getEvent)
}

func (s *server) publish(ctx context.Context, who service.Caller, in *publishInput) (*Output[PublishedEvent], error) {
	event := models.Event{Type: in.Body.Event, Data: in.Body.Data, OwnerID: in.Body.OwnerID, Broadcast: in.Body.Broadcast}
	if in.IdempotencyKey != "" {
		event.IdempotencyKey = &in.IdempotencyKey
	}
	published, err := s.Service.Publish(ctx, who, event)
	return &Output[PublishedEvent]{PublishedEvent{
		ID: published.Event.ID, Event: published.Event.Type, Deliveries: published.Event.DeliveryCount,
		Duplicate: published.Duplicate,
	}}, err
}

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

func (s *server) listEvents(ctx context.Context, who service.Caller, in *listEventsInput) (*ListOutput[Event], error) {
	filter := models.EventFilter{Types: in.Event, OwnerIDs: in.OwnerID, Since: in.Since.Time, Until: in.Until.Time, WithData: in.Include == "data"}
	events, beside, err := s.Service.ListEvents(ctx, who, filter, in.page())
	return listOf(events, beside, eventObject), err
}

func (s *server) getEvent(ctx context.Context, who service.Caller, in *eventPath) (*Output[EventDetail], error) {
	event, deliveries, err := s.Service.GetEvent(ctx, who, in.ID)
	object := eventObject(event)
	return &Output[EventDetail]{EventDetail{
		ID: object.ID, OwnerID: object.OwnerID, Event: object.Event, Data: object.Data, CreatedAt: object.CreatedAt,
		DeliveryCount: object.DeliveryCount, Deliveries: objectsOf(deliveries, s.deliveryObject),
	}}, err
}
