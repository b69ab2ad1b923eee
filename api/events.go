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
	ID      string  `json:"id"`
	OwnerID *string `json:"owner_id" doc:"Whose webhooks it went to; null when it was broadcast to all owners'."`
	Event   string  `json:"event" doc:"Its type."`
	Data    RawJSON `json:"data,omitempty" doc:"Only with include=data."`
	EventFacts
	CreatedAt     time.Time `json:"created_at" doc:"When it was published."`
	DeliveryCount int       `json:"delivery_count" doc:"How many webhooks matched."`
}

// EventDetail is an event with its deliveries.
type EventDetail struct {
	ID      string  `json:"id"`
	OwnerID *string `json:"owner_id" doc:"Whose webhooks it went to; null when it was broadcast to all owners'."`
	Event   string  `json:"event" doc:"Its type."`
	Data    RawJSON `json:"data"`
	EventFacts
	CreatedAt     time.Time  `json:"created_at" doc:"When it was published."`
	DeliveryCount int        `json:"delivery_count" doc:"How many webhooks matched."`
	Deliveries    []Delivery `json:"deliveries" doc:"The newest 250; GET /api/deliveries?event_id= lists all."`
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
	s.registerBatch(api, tag)
	register(s, api, operation{
		ID: "list-events", Method: http.MethodGet, Path: "/events", Tag: tag,
		Summary: "List events", Status: http.StatusOK,
	}, s.listEvents)
	register(s, api, operation{
		ID: "get-event", Method: http.MethodGet, Path: "/events/{id}", Tag: tag,
		Summary: "Show an event with its deliveries", Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Large: true,
	}, s.getEvent)
	register(s, api, operation{
		ID: "erase-event", Method: http.MethodDelete, Path: "/events/{id}/data", Tag: tag,
		Summary: "Erase an event's data and its copies", Status: http.StatusNoContent, Errors: []int{http.StatusNotFound},
	}, s.eraseEvent)
}

func eventObject(e models.Event) Event {
	object := Event{
		ID: e.ID, OwnerID: orNull(e.OwnerID), Event: e.Type, EventFacts: eventFacts(e), CreatedAt: e.CreatedAt.UTC(), DeliveryCount: e.DeliveryCount,
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
		ID: object.ID, OwnerID: object.OwnerID, Event: object.Event, Data: object.Data, EventFacts: object.EventFacts, CreatedAt: object.CreatedAt,
		DeliveryCount: object.DeliveryCount, Deliveries: objectsOf(deliveries, s.deliveryObject),
	}}, err
}

func (s *server) eraseEvent(ctx context.Context, who service.Caller, in *eventPath) (*struct{}, error) {
	return nil, s.Service.EraseEvent(ctx, who, in.ID)
}
