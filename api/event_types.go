package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// EventType is an entry of the catalogue.
type EventType struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Group       *string   `json:"group" doc:"What it belongs to; null for nothing."`
	Deprecated  bool      `json:"deprecated" doc:"True when consumers should not rely on it any more."`
	Schema      RawJSON   `json:"schema" doc:"The JSON Schema (2020-12) of an event's data; null for none, and in lists without include=schemas."`
	Example     RawJSON   `json:"example" doc:"Data of an event; null for none, and in lists without include=schemas."`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func eventTypeObject(of models.EventType) EventType {
	return EventType{
		Name: of.Name, Description: of.Description, Group: orNull(of.Group), Deprecated: of.Deprecated,
		Schema: jsonOrNull(of.Schema), Example: jsonOrNull(of.Example), CreatedAt: of.CreatedAt.UTC(), UpdatedAt: of.UpdatedAt.UTC(),
	}
}

func jsonOrNull(data []byte) RawJSON {
	if data == nil {
		return RawJSON("null")
	}
	return compact(data)
}

// given is what a request has of a JSON value; null is none.
func given(value RawJSON) []byte {
	if len(value) == 0 || string(value) == "null" {
		return nil
	}
	return value
}

// EventTypeFields are what an entry of the catalogue is made of.
type EventTypeFields struct {
	Description string  `json:"description,omitempty" doc:"At most 4,000 characters."`
	Group       string  `json:"group,omitempty" doc:"What it belongs to, at most 100 characters."`
	Deprecated  bool    `json:"deprecated,omitempty" doc:"True when consumers should not rely on it any more."`
	Schema      RawJSON `json:"schema,omitempty" doc:"A JSON Schema (2020-12) of an event's data, at most 64 KiB; references stay within it."`
	Example     RawJSON `json:"example,omitempty" doc:"Data that fit the schema, at most 64 KiB."`
}

func (f EventTypeFields) eventType(name string) models.EventType {
	return models.EventType{
		Name: name, Description: f.Description, Group: f.Group, Deprecated: f.Deprecated, Schema: given(f.Schema), Example: given(f.Example),
	}
}

type createEventTypeInput struct {
	Body struct {
		Name string `json:"name" doc:"Words joined by dots." example:"order.created"`
		EventTypeFields
	}
}

type eventTypePath struct {
	Name string `path:"name" doc:"The event type."`
}

type putEventTypeInput struct {
	Name  string `path:"name" doc:"The event type."`
	Force bool   `query:"force" doc:"True accepts a schema that allows what the one before ruled out."`
	Body  EventTypeFields
}

type listEventTypesInput struct {
	PageQuery
	Include string `query:"include" enum:"schemas" doc:"schemas: with schemas and examples."`
}

type importEventTypesInput struct {
	Force bool `query:"force" doc:"True accepts schemas that allow what those before ruled out."`
	Body  RawJSON
}

// RefusedEventType is a webhook of a document that did not become an event type.
type RefusedEventType struct {
	Name   string       `json:"name"`
	Errors []FieldError `json:"errors"`
}

// ImportedEventTypes is what became of the webhooks of a document.
type ImportedEventTypes struct {
	Created []string           `json:"created" doc:"New in the catalogue."`
	Changed []string           `json:"changed" doc:"Were in the catalogue, and are as the document has them now."`
	Refused []RefusedEventType `json:"refused" doc:"Are not, or as they were before."`
}

func (s *server) registerEventTypes(api huma.API) {
	const tag = "Event types"
	register(s, api, operation{
		ID: "create-event-type", Method: http.MethodPost, Path: "/event-types", Tag: tag,
		Summary: "Add an event type to the catalogue", Status: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusConflict},
	}, s.createEventType)
	register(s, api, operation{
		ID: "list-event-types", Method: http.MethodGet, Path: "/event-types", Tag: tag,
		Summary: "List the catalogue of event types", Status: http.StatusOK, Large: true,
	}, s.listEventTypes)
	register(s, api, operation{
		ID: "get-event-type", Method: http.MethodGet, Path: "/event-types/{name}", Tag: tag,
		Summary: "Show an event type", Status: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, s.getEventType)
	register(s, api, operation{
		ID: "put-event-type", Method: http.MethodPut, Path: "/event-types/{name}", Tag: tag, AlsoCreates: true,
		Summary: "Create or replace an event type", Status: http.StatusOK, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.putEventType)
	register(s, api, operation{
		ID: "delete-event-type", Method: http.MethodDelete, Path: "/event-types/{name}", Tag: tag,
		Summary: "Remove an event type from the catalogue", Status: http.StatusNoContent, Errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, s.deleteEventType)
	register(s, api, operation{
		ID: "import-event-types", Method: http.MethodPost, Path: "/event-types/import", Tag: tag,
		Summary: "Put the webhooks of an OpenAPI 3.1 document into the catalogue", Status: http.StatusOK, Errors: []int{http.StatusForbidden},
	}, s.importEventTypes)
}

func (s *server) createEventType(ctx context.Context, who service.Caller, in *createEventTypeInput) (*Output[EventType], error) {
	of, err := s.Service.CreateEventType(ctx, who, in.Body.eventType(in.Body.Name))
	return &Output[EventType]{eventTypeObject(of)}, err
}

func (s *server) listEventTypes(ctx context.Context, _ service.Caller, in *listEventTypesInput) (*ListOutput[EventType], error) {
	list, beside, err := s.Service.ListEventTypes(ctx, in.Include == "schemas", in.page())
	return listOf(list, beside, eventTypeObject), err
}

func (s *server) getEventType(ctx context.Context, _ service.Caller, in *eventTypePath) (*Output[EventType], error) {
	of, err := s.Service.GetEventType(ctx, in.Name)
	return &Output[EventType]{eventTypeObject(of)}, err
}

func (s *server) putEventType(ctx context.Context, who service.Caller, in *putEventTypeInput) (*putOutput[EventType], error) {
	of, made, err := s.Service.PutEventType(ctx, who, in.Body.eventType(in.Name), in.Force)
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return &putOutput[EventType]{status, eventTypeObject(of)}, err
}

func (s *server) deleteEventType(ctx context.Context, who service.Caller, in *eventTypePath) (*struct{}, error) {
	return nil, s.Service.DeleteEventType(ctx, who, in.Name)
}

func (s *server) importEventTypes(ctx context.Context, who service.Caller, in *importEventTypesInput) (*Output[ImportedEventTypes], error) {
	imported, err := s.Service.ImportEventTypes(ctx, who, in.Body, in.Force)
	object := ImportedEventTypes{Created: orEmpty(imported.Created), Changed: orEmpty(imported.Changed), Refused: []RefusedEventType{}}
	for _, refused := range imported.Refused {
		object.Refused = append(object.Refused, RefusedEventType{refused.Name, fieldErrors(refused.Errors)})
	}
	return &Output[ImportedEventTypes]{object}, err
}

func fieldErrors(fields []service.Field) []FieldError {
	list := make([]FieldError, len(fields))
	for i, field := range fields {
		list[i] = FieldError{field.Location, field.Message}
	}
	return list
}

// orEmpty is an empty list instead of null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
