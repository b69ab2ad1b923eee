package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Attempt is one HTTP request of a delivery.
type Attempt struct {
	ID              string            `json:"id"`
	DeliveryID      string            `json:"delivery_id"`
	WebhookID       string            `json:"webhook_id"`
	Event           string            `json:"event" doc:"The event's type."`
	Number          int               `json:"number" doc:"Counts from 1, through all resends."`
	Trigger         models.Trigger    `json:"trigger" enum:"schedule,resend,test"`
	StatusCode      *int              `json:"status_code" doc:"Null when no response came."`
	ErrorClass      *string           `json:"error_class" doc:"Null on success."`
	Error           *string           `json:"error"`
	DurationMS      int64             `json:"duration_ms"`
	RequestHeaders  map[string]string `json:"request_headers" nullable:"true" doc:"Signatures, and what a webhook adds, are masked. Null when nothing was sent, and in a list without include=request_headers."`
	ResponseHeaders map[string]string `json:"response_headers" nullable:"true" doc:"At most 8 KiB, cookies and other credentials masked; … says how many were left out. Null without an answer, and in a list without include=response_headers."`
	ResponseBody    *string           `json:"response_body" doc:"At most the first 16 KiB; null in a list without include=response_body."`
	RemoteAddr      *string           `json:"remote_addr" doc:"Null without a connection, and for owners when the address is a private one."`
	StartedAt       time.Time         `json:"started_at"`
}

// TransformSchema lists the values of error_class, with null: JSON Schema asks for it, and a tag cannot say it.
func (Attempt) TransformSchema(_ huma.Registry, schema *huma.Schema) *huma.Schema {
	schema.Properties["error_class"].Enum = append(errorClasses(), nil)
	return schema
}

func errorClasses() []any {
	var names []any
	for _, class := range models.ErrorClasses() {
		names = append(names, string(class))
	}
	return names
}

// ErrorClass is one that a request names.
type ErrorClass string

// Schema lists them.
func (ErrorClass) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: errorClasses()}
}

// AttemptInclude is the part of attempts that a list carries only when it is asked to.
type AttemptInclude struct {
	Include []string `query:"include" maxItems:"3" enum:"response_body,request_headers,response_headers" doc:"With the bodies of the responses, or with headers, and then fewer attempts when they have over 4 MiB together."`
}

func (q AttemptInclude) contents() models.AttemptContents {
	return models.AttemptContents{
		ResponseBody:    slices.Contains(q.Include, "response_body"),
		RequestHeaders:  slices.Contains(q.Include, "request_headers"),
		ResponseHeaders: slices.Contains(q.Include, "response_headers"),
	}
}

type listDeliveryAttemptsInput struct {
	ID string `path:"id" doc:"The delivery's ID."`
	PageQuery
	AttemptInclude
}

type listAttemptsInput struct {
	PageQuery
	AttemptInclude
	WebhookID  []string               `query:"webhook_id" maxItems:"20"`
	OwnerID    []string               `query:"owner_id" maxItems:"20" doc:"Only these owners'."`
	Status     []models.AttemptStatus `query:"status" maxItems:"20" enum:"succeeded,failed"`
	ErrorClass []ErrorClass           `query:"error_class" maxItems:"20" doc:"Only those that failed in these ways."`
	Since      Time                   `query:"since" doc:"Begun at or after."`
	Until      Time                   `query:"until" doc:"Begun before."`
}

func (s *server) registerAttempts(api huma.API) {
	const tag = "Attempts"
	register(s, api, operation{
		ID: "list-attempts", Method: http.MethodGet, Path: "/attempts", Tag: tag,
		Summary: "List attempts, the last begun first", Status: http.StatusOK, Large: true,
	}, s.listAttempts)
	register(s, api, operation{
		ID: "list-delivery-attempts", Method: http.MethodGet, Path: "/deliveries/{id}/attempts", Tag: tag,
		Summary: "List a delivery's attempts", Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Large: true,
	}, s.listDeliveryAttempts)
}

func (s *server) listAttempts(ctx context.Context, who service.Caller, in *listAttemptsInput) (*ListOutput[Attempt], error) {
	classes := objectsOf(in.ErrorClass, func(class ErrorClass) models.ErrorClass { return models.ErrorClass(class) })
	attempts, beside, err := s.Service.ListAttempts(ctx, who, models.AttemptFilter{
		WebhookIDs: in.WebhookID, OwnerIDs: in.OwnerID, Statuses: in.Status, ErrorClasses: classes,
		Since: in.Since.Time, Until: in.Until.Time, AttemptContents: in.contents(),
	}, in.page())
	return listOf(attempts, beside, attemptObject), err
}

func (s *server) listDeliveryAttempts(ctx context.Context, who service.Caller, in *listDeliveryAttemptsInput) (*ListOutput[Attempt], error) {
	filter := models.AttemptFilter{DeliveryID: in.ID, AttemptContents: in.contents()}
	attempts, beside, err := s.Service.ListDeliveryAttempts(ctx, who, filter, in.page())
	return listOf(attempts, beside, attemptObject), err
}

func attemptObject(a service.Attempt) Attempt {
	return Attempt{
		ID: a.ID, DeliveryID: a.DeliveryID, WebhookID: a.WebhookID, Event: a.Event, Number: a.Number, Trigger: a.Trigger,
		StatusCode: a.StatusCode, ErrorClass: orNull(string(a.ErrorClass)), Error: orNull(a.Error), DurationMS: a.DurationMS,
		RequestHeaders: a.Sent, ResponseHeaders: a.Answered,
		ResponseBody: orNull(strings.ToValidUTF8(string(a.ResponseBody), "\uFFFD")),
		RemoteAddr:   orNull(a.RemoteAddr), StartedAt: a.StartedAt.UTC(),
	}
}
