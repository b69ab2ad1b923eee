package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID             string        `json:"id"`
	EventID        string        `json:"event_id"`
	WebhookID      string        `json:"webhook_id"`
	OwnerID        string        `json:"owner_id"`
	Event          string        `json:"event" doc:"The event's type."`
	Status         models.Status `json:"status" enum:"pending,failed,delivered,permanently_failed,cancelled"`
	AttemptCount   int           `json:"attempt_count"`
	NextAttemptAt  *time.Time    `json:"next_attempt_at" doc:"When the next attempt is due; null while one is under way, and when none is to come."`
	DeliveredAt    *time.Time    `json:"delivered_at"`
	LastStatusCode *int          `json:"last_status_code"`
	LastError      *string       `json:"last_error" doc:"Why the last attempt failed; null when it did not."`
	CancelReason   *string       `json:"cancel_reason" doc:"Why it was cancelled, for status cancelled."`
	CreatedAt      time.Time     `json:"created_at"`
	Workflow       Workflow      `json:"workflow"`
}

// Workflow is where to find a delivery in Temporal.
type Workflow struct {
	ID    string  `json:"id" doc:"The workflow's ID, which is the delivery's."`
	RunID *string `json:"run_id" doc:"The run that made the last attempt; null before the first."`
	URL   *string `json:"url" doc:"Its page in the Temporal Web UI."`
}

// DeliveryDetail is a delivery with its log.
type DeliveryDetail struct {
	Delivery
	Attempts []Attempt `json:"attempts" doc:"The newest 20, in the order in which they were made; GET /api/deliveries/{id}/attempts lists all."`
}

// shownAttempts is how many attempts are shown with a delivery.
const shownAttempts = 20

// Attempt is one HTTP request of a delivery.
type Attempt struct {
	ID           string         `json:"id"`
	Number       int            `json:"number" doc:"Counts from 1, through all resends."`
	Trigger      models.Trigger `json:"trigger" enum:"schedule,resend,test"`
	StatusCode   *int           `json:"status_code" doc:"Null when no response came."`
	ErrorClass   *string        `json:"error_class" enum:"dns,connection_refused,connect_timeout,timeout,tls,reset,blocked,http_status" doc:"Null on success."`
	Error        *string        `json:"error"`
	DurationMS   int64          `json:"duration_ms"`
	ResponseBody *string        `json:"response_body" doc:"At most the first 16 KiB; null in a list without include=response_body."`
	RemoteAddr   *string        `json:"remote_addr" doc:"Null without a connection, and for owners when the address is a private one."`
	StartedAt    time.Time      `json:"started_at"`
}

// TransformSchema adds null to the values of error_class: JSON Schema asks for it, and a tag cannot say it.
func (Attempt) TransformSchema(_ huma.Registry, schema *huma.Schema) *huma.Schema {
	class := schema.Properties["error_class"]
	class.Enum = append(class.Enum, nil)
	return schema
}

type deliveryPath struct {
	ID string `path:"id" doc:"The delivery's ID."`
}

type listDeliveriesInput struct {
	PageQuery
	Status    models.Status `query:"status" enum:"pending,failed,delivered,permanently_failed,cancelled"`
	WebhookID string        `query:"webhook_id"`
	EventID   string        `query:"event_id"`
	Event     string        `query:"event" doc:"Only events of this type."`
	OwnerID   string        `query:"owner_id" doc:"Only this owner's."`
	Since     Time          `query:"since" doc:"Made at or after."`
	Until     Time          `query:"until" doc:"Made before."`
}

type listAttemptsInput struct {
	ID string `path:"id" doc:"The delivery's ID."`
	PageQuery
	Include string `query:"include" enum:"response_body" doc:"Response_body: with the bodies of the responses."`
}

func (s *server) registerDeliveries(api huma.API) {
	const tag = "Deliveries"
	huma.Register(api, operation("list-deliveries", http.MethodGet, "/deliveries", tag, "List deliveries", http.StatusOK), s.listDeliveries)
	huma.Register(api, operation("get-delivery", http.MethodGet, "/deliveries/{id}", tag, "Show a delivery with its attempts", http.StatusOK, 404), s.getDelivery)
	huma.Register(api, operation("list-attempts", http.MethodGet, "/deliveries/{id}/attempts", tag, "List a delivery's attempts", http.StatusOK, 404), s.listAttempts)
	huma.Register(api, operation("resend-delivery", http.MethodPost, "/deliveries/{id}/resend", tag, "Try a delivery again, now", http.StatusAccepted, 404, 409), s.resend)
	huma.Register(api, operation("cancel-delivery", http.MethodPost, "/deliveries/{id}/cancel", tag, "Stop a waiting delivery", http.StatusAccepted, 404, 409), s.cancel)
}

func (s *server) deliveryObject(d models.Delivery) Delivery {
	return Delivery{
		ID: d.ID, EventID: d.EventID, WebhookID: d.WebhookID, OwnerID: d.OwnerID, Event: d.Event, Status: d.Status,
		AttemptCount: d.AttemptCount, NextAttemptAt: inUTC(d.NextAttemptAt), DeliveredAt: inUTC(d.DeliveredAt),
		LastStatusCode: d.LastStatusCode, LastError: orNull(d.LastError), CancelReason: orNull(d.CancelReason),
		CreatedAt: d.CreatedAt.UTC(),
		Workflow:  Workflow{ID: d.ID, RunID: orNull(d.RunID), URL: orNull(s.WorkflowURL(d.ID, d.RunID))},
	}
}

// attemptObject is an attempt as who asks may see it: where inside a request went is for administrators.
func attemptObject(a models.Attempt, who principal) Attempt {
	if !who.admin() && !public(a.RemoteAddr) {
		a.RemoteAddr = ""
	}
	return Attempt{
		ID: a.ID, Number: a.Number, Trigger: a.Trigger, StatusCode: a.StatusCode,
		ErrorClass: orNull(string(a.ErrorClass)), Error: orNull(a.Error), DurationMS: a.DurationMS,
		ResponseBody: orNull(strings.ToValidUTF8(string(a.ResponseBody), "\uFFFD")),
		RemoteAddr:   orNull(a.RemoteAddr), StartedAt: a.StartedAt.UTC(),
	}
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

func (s *server) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*ListOutput[Delivery], error) {
	for _, err := range []error{
		checkFilter(typeid.KindWebhook, "webhook_id", in.WebhookID),
		checkFilter(typeid.KindEvent, "event_id", in.EventID),
		checkFilter(typeid.KindOwner, "owner_id", in.OwnerID),
		checkEventFilter(in.Event),
	} {
		if err != nil {
			return nil, err
		}
	}
	filter := models.DeliveryFilter{
		Status: in.Status, WebhookID: in.WebhookID, EventID: in.EventID, Event: in.Event, OwnerID: in.OwnerID,
		Since: in.Since.Time, Until: in.Until.Time,
	}
	deliveries, next, err := s.Store.Deliveries(ctx, whoAsks(ctx).scope(), filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(deliveries, next, s.deliveryObject), nil
}

// delivery loads the delivery of a path for who asks.
func (s *server) delivery(ctx context.Context, id string) (models.Delivery, error) {
	if err := checkID(typeid.KindDelivery, "delivery", id); err != nil {
		return models.Delivery{}, err
	}
	delivery, err := s.Store.Delivery(ctx, whoAsks(ctx).scope(), id)
	if err != nil {
		return delivery, s.fail(ctx, orNotFound(err, "delivery", id))
	}
	return delivery, nil
}

func (s *server) getDelivery(ctx context.Context, in *deliveryPath) (*Output[DeliveryDetail], error) {
	delivery, err := s.delivery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	attempts, _, err := s.Store.AttemptsPage(ctx,
		models.AttemptFilter{DeliveryID: delivery.ID, WithBody: true}, models.Page{Limit: shownAttempts})
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	slices.Reverse(attempts)
	object := func(a models.Attempt) Attempt { return attemptObject(a, whoAsks(ctx)) }
	return &Output[DeliveryDetail]{DeliveryDetail{
		Delivery: s.deliveryObject(delivery), Attempts: listOf(attempts, "", object).Body.Data,
	}}, nil
}

func (s *server) listAttempts(ctx context.Context, in *listAttemptsInput) (*ListOutput[Attempt], error) {
	delivery, err := s.delivery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	filter := models.AttemptFilter{DeliveryID: delivery.ID, WithBody: in.Include == "response_body"}
	attempts, next, err := s.Store.AttemptsPage(ctx, filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	object := func(a models.Attempt) Attempt { return attemptObject(a, whoAsks(ctx)) }
	return listOf(attempts, next, object), nil
}

func (s *server) resend(ctx context.Context, in *deliveryPath) (*Output[Delivery], error) {
	delivery, err := s.delivery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Dispatcher.Resend(ctx, delivery, whoAsks(ctx).keyID); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Delivery]{s.deliveryObject(delivery)}, nil
}

func (s *server) cancel(ctx context.Context, in *deliveryPath) (*Output[Delivery], error) {
	delivery, err := s.delivery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Dispatcher.Cancel(ctx, delivery); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Delivery]{s.deliveryObject(delivery)}, nil
}
