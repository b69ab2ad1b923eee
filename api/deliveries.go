package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
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
	WaitsFor       *string       `json:"waits_for" doc:"Of an ordered webhook: the delivery that has to end before this one gets its turn; null when it waits for none."`
	DeliveredAt    *time.Time    `json:"delivered_at"`
	LastStatusCode *int          `json:"last_status_code"`
	LastError      *string       `json:"last_error" doc:"Why the last attempt failed; null when it did not."`
	CancelReason   *string       `json:"cancel_reason" doc:"Why it was cancelled, for status cancelled."`
	FilterError    *string       `json:"filter_error" doc:"Why the webhook's filter failed, which lets the event pass; null when it did not."`
	CreatedAt      time.Time     `json:"created_at"`
	Workflow       Workflow      `json:"workflow"`
}

// Workflow is where to find a delivery in Temporal.
type Workflow struct {
	ID    string  `json:"id" doc:"The workflow's ID, which is the delivery's."`
	RunID *string `json:"run_id" doc:"The run that made the last attempt, or that waits for its turn; null before the first."`
	URL   *string `json:"url" doc:"Its page in the Temporal Web UI."`
}

// DeliveryDetail is a delivery with its log.
type DeliveryDetail struct {
	Delivery
	Attempts []Attempt `json:"attempts" doc:"The newest 20, in the order in which they were made; GET /api/deliveries/{id}/attempts lists all."`
}

type deliveryPath struct {
	ID string `path:"id" doc:"The delivery's ID."`
}

type listDeliveriesInput struct {
	PageQuery
	Status    []models.Status `query:"status" maxItems:"20" enum:"pending,failed,delivered,permanently_failed,cancelled"`
	WebhookID []string        `query:"webhook_id" maxItems:"20"`
	EventID   []string        `query:"event_id" maxItems:"20"`
	Event     []string        `query:"event" maxItems:"20" doc:"Only events of these types."`
	OwnerID   []string        `query:"owner_id" maxItems:"20" doc:"Only these owners'."`
	Since     Time            `query:"since" doc:"Made at or after."`
	Until     Time            `query:"until" doc:"Made before."`
	Search    string          `query:"search" maxLength:"255" doc:"An ID of the delivery, its event, webhook or owner, or the type of the event, or the beginning of one; or words that are all in the last error or the values of the event's metadata. A page may then have fewer items than asked for, also none, although next_cursor leads on."`
}

func (s *server) registerDeliveries(api huma.API) {
	const tag = "Deliveries"
	register(s, api, operation{
		ID: "list-deliveries", Method: http.MethodGet, Path: "/deliveries", Tag: tag,
		Summary: "List deliveries", Status: http.StatusOK,
	}, s.listDeliveries)
	register(s, api, operation{
		ID: "get-delivery", Method: http.MethodGet, Path: "/deliveries/{id}", Tag: tag,
		Summary: "Show a delivery with its attempts", Status: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, s.getDelivery)
	register(s, api, operation{
		ID: "resend-delivery", Method: http.MethodPost, Path: "/deliveries/{id}/resend", Tag: tag,
		Summary: "Try a delivery again, now", Status: http.StatusAccepted, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.resend)
	register(s, api, operation{
		ID: "cancel-delivery", Method: http.MethodPost, Path: "/deliveries/{id}/cancel", Tag: tag,
		Summary: "Stop a waiting delivery", Status: http.StatusAccepted, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.cancel)
}

func (s *server) deliveryObject(d models.Delivery) Delivery {
	return Delivery{
		ID: d.ID, EventID: d.EventID, WebhookID: d.WebhookID, OwnerID: d.OwnerID, Event: d.Event, Status: d.Status,
		AttemptCount: d.AttemptCount, NextAttemptAt: inUTC(d.NextAttemptAt), WaitsFor: orNull(d.WaitsFor), DeliveredAt: inUTC(d.DeliveredAt),
		LastStatusCode: d.LastStatusCode, LastError: orNull(d.LastError), CancelReason: orNull(d.CancelReason),
		FilterError: orNull(d.FilterError), CreatedAt: d.CreatedAt.UTC(),
		Workflow: Workflow{ID: d.ID, RunID: orNull(d.RunID), URL: orNull(s.WorkflowURL(d.ID, d.RunID))},
	}
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

func (s *server) listDeliveries(ctx context.Context, who service.Caller, in *listDeliveriesInput) (*ListOutput[Delivery], error) {
	deliveries, beside, err := s.Service.ListDeliveries(ctx, who, models.DeliveryFilter{
		Statuses: in.Status, WebhookIDs: in.WebhookID, EventIDs: in.EventID, Events: in.Event, OwnerIDs: in.OwnerID,
		Since: in.Since.Time, Until: in.Until.Time, Search: models.Search{Text: in.Search},
	}, in.page())
	return listOf(deliveries, beside, s.deliveryObject), err
}

func (s *server) getDelivery(ctx context.Context, who service.Caller, in *deliveryPath) (*Output[DeliveryDetail], error) {
	delivery, attempts, err := s.Service.GetDelivery(ctx, who, in.ID)
	return &Output[DeliveryDetail]{DeliveryDetail{
		Delivery: s.deliveryObject(delivery), Attempts: objectsOf(attempts, attemptObject),
	}}, err
}

func (s *server) resend(ctx context.Context, who service.Caller, in *deliveryPath) (*Output[Delivery], error) {
	delivery, err := s.Service.ResendDelivery(ctx, who, in.ID)
	return &Output[Delivery]{s.deliveryObject(delivery)}, err
}

func (s *server) cancel(ctx context.Context, who service.Caller, in *deliveryPath) (*Output[Delivery], error) {
	delivery, err := s.Service.CancelDelivery(ctx, who, in.ID)
	return &Output[Delivery]{s.deliveryObject(delivery)}, err
}
