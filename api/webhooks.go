package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Webhook is one owner's subscription of a URL to event types.
type Webhook struct {
	ID             string            `json:"id"`
	OwnerID        string            `json:"owner_id"`
	URL            string            `json:"url"`
	Description    string            `json:"description"`
	Events         []string          `json:"events" doc:"Event types, prefixes such as order.*, or *."`
	Headers        map[string]string `json:"headers" doc:"Sent with every request, beside Postrider's own. The values are shown with include=headers only."`
	Active         bool              `json:"active" doc:"False while paused or disabled: no deliveries are made."`
	DisabledReason *string           `json:"disabled_reason" doc:"Why Postrider disabled it; null otherwise."`
	RetrySchedule  []string          `json:"retry_schedule" nullable:"true" doc:"The waits after each failure; null for the installation's."`
	RateLimit      *float64          `json:"rate_limit" doc:"Requests a second at most; null for no limit."`
	Filter         *string           `json:"filter" doc:"Which events it gets, in CEL; null for all."`
	Transform      *string           `json:"transform" doc:"What is sent instead of an event's data, in CEL; null for the data."`
	WebhookOrder
	WebhookSending
	Health WebhookHealth `json:"health"`
	Named
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// NewWebhook is a webhook with the secret that is shown only once.
type NewWebhook struct {
	Webhook
	Secret string `json:"secret" doc:"Verifies signatures. It is shown only here and on rotation."`
}

func webhookObject(w service.Webhook) Webhook {
	object := Webhook{
		ID: w.ID, OwnerID: w.OwnerID, URL: w.URL, Description: w.Description, Events: w.Events, Headers: w.ShownHeaders,
		Active: w.Active, DisabledReason: orNull(w.DisabledReason),
		RateLimit: w.RateLimit, Filter: orNull(w.Filter), Transform: orNull(w.Transform), WebhookSending: sendingObject(w), WebhookOrder: orderObject(w.Queueing), Health: healthObject(w),
		Named:     Named{ExternalID: w.ExternalID, Metadata: metadataObject(w.Metadata)},
		CreatedAt: w.CreatedAt.UTC(), UpdatedAt: w.UpdatedAt.UTC(),
	}
	if w.RetrySchedule != nil {
		object.RetrySchedule = w.RetrySchedule.Texts()
	}
	return object
}

type createWebhookInput struct {
	Body struct {
		URL           string            `json:"url" doc:"Where events are sent: http or https." example:"https://example.com/webhooks"`
		Events        []string          `json:"events" doc:"Event types, prefixes such as order.*, or *." example:"[\"order.*\"]"`
		Description   string            `json:"description,omitempty" doc:"At most 500 characters."`
		Headers       map[string]string `json:"headers,omitempty" nullable:"true" doc:"Sent with every request: at most 20, and 8 KiB of names and values."`
		Secret        *string           `json:"secret,omitempty" doc:"Signs the requests as it is: whsec_ and base64, or 16 to 128 visible ASCII characters. A new one is made when left out."`
		RetrySchedule []Duration        `json:"retry_schedule,omitempty" nullable:"true" doc:"The waits after each failure, such as 1m, 5m, 2h; empty for no retries, null for the installation's."`
		RateLimit     *float64          `json:"rate_limit,omitempty" nullable:"true" doc:"Requests a second at most, from 0.01 to 1000; what is too much waits. Null for no limit."`
		Filter        string            `json:"filter,omitempty" doc:"Which events it gets, in CEL: true for those that it gets. At most 8 KiB." example:"data.amount > 100"`
		Transform     string            `json:"transform,omitempty" doc:"What is sent instead of an event's data, in CEL. At most 8 KiB." example:"{\"total\": data.amount}"`
		Active        *bool             `json:"active,omitempty" doc:"False makes it paused; true when left out."`
		OwnerID       string            `json:"owner_id,omitempty" doc:"For administrators: whose webhook it is; the owner default when left out."`
		Naming
		SendingFields
		NewWebhookOrder
	}
}

type webhookPath struct {
	ID string `path:"id" doc:"The webhook's ID."`
}

type getWebhookInput struct {
	ID      string `path:"id" doc:"The webhook's ID."`
	Include string `query:"include" enum:"headers" doc:"headers: with the values of the headers."`
}

type listWebhooksInput struct {
	PageQuery
	Include string   `query:"include" enum:"headers" doc:"headers: with the values of the headers."`
	OwnerID []string `query:"owner_id" maxItems:"20" doc:"Only these owners'."`
	NameQuery
	Active string `query:"active" enum:"true,false" doc:"Only active, or only inactive ones."`
}

type updateWebhookInput struct {
	ID   string `path:"id" doc:"The webhook's ID."`
	Body struct {
		URL           Patch[string]             `json:"url,omitempty"`
		Events        Patch[[]string]           `json:"events,omitempty"`
		Description   Patch[string]             `json:"description,omitempty"`
		Headers       Patch[map[string]*string] `json:"headers,omitempty" doc:"A merge patch too: a text sets the header, null removes it, and those left out stay; null instead of the object removes all."`
		RetrySchedule Patch[[]Duration]         `json:"retry_schedule,omitempty"`
		RateLimit     Patch[float64]            `json:"rate_limit,omitempty" doc:"Null lifts the limit."`
		Filter        Patch[string]             `json:"filter,omitempty" doc:"Null for all events."`
		Transform     Patch[string]             `json:"transform,omitempty" doc:"Null for the data as it is."`
		Active        Patch[bool]               `json:"active,omitempty" doc:"False pauses; true resumes and clears disabled_reason."`
		PatchNaming
		SendingPatch
		WebhookOrderPatch
	}
}

type testWebhookInput struct {
	ID   string            `path:"id" doc:"The webhook's ID."`
	Body *testWebhookInner `required:"false"`
}

type testWebhookInner struct {
	EventType string `json:"event_type,omitempty" doc:"Sends the catalogue's example of this event type instead of webhook.test."`
}

// TestResult is what the attempt of a test came to.
type TestResult struct {
	Success    bool    `json:"success"`
	StatusCode *int    `json:"status_code" doc:"The receiver's answer; null when none came."`
	DurationMS int64   `json:"duration_ms"`
	Error      *string `json:"error" doc:"Why it failed; null on success."`
	DeliveryID string  `json:"delivery_id"`
}

func (s *server) registerWebhooks(api huma.API) {
	const tag = "Webhooks"
	register(s, api, operation{
		ID: "create-webhook", InOneCommit: true, Method: http.MethodPost, Path: "/webhooks", Tag: tag,
		Summary: "Create a webhook", Status: http.StatusCreated, Errors: []int{http.StatusConflict},
	}, s.createWebhook)
	register(s, api, operation{
		ID: "list-webhooks", Method: http.MethodGet, Path: "/webhooks", Tag: tag,
		Summary: "List webhooks", Status: http.StatusOK,
	}, s.listWebhooks)
	register(s, api, operation{
		ID: "get-webhook", Method: http.MethodGet, Path: "/webhooks/{id}", Tag: tag,
		Summary: "Show a webhook", Status: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, s.getWebhook)
	register(s, api, operation{
		ID: "update-webhook", Method: http.MethodPatch, Path: "/webhooks/{id}", Tag: tag,
		Summary: "Change a webhook", Status: http.StatusOK, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.updateWebhook)
	register(s, api, operation{
		ID: "delete-webhook", Method: http.MethodDelete, Path: "/webhooks/{id}", Tag: tag,
		Summary: "Delete a webhook", Status: http.StatusNoContent, Errors: []int{http.StatusNotFound},
	}, s.deleteWebhook)
	register(s, api, operation{
		ID: "test-webhook", Method: http.MethodPost, Path: "/webhooks/{id}/test", Tag: tag,
		Summary: "Send a test event and wait for the answer", Status: http.StatusOK, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.testWebhook)
}

func (s *server) createWebhook(ctx context.Context, who service.Caller, in *createWebhookInput) (*Output[NewWebhook], error) {
	made, err := s.Service.CreateWebhook(ctx, who, service.NewWebhook{
		OwnerID: in.Body.OwnerID, URL: in.Body.URL, Description: in.Body.Description, Events: in.Body.Events, Headers: in.Body.Headers,
		RetrySchedule: durations(in.Body.RetrySchedule), RateLimit: in.Body.RateLimit, Secret: in.Body.Secret,
		Filter: in.Body.Filter, Transform: in.Body.Transform,
		WebhookNames: service.WebhookNames{ExternalID: in.Body.ExternalID, Metadata: in.Body.Metadata},
		Sending:      in.Body.sending(), Order: in.Body.order(), Paused: in.Body.Active != nil && !*in.Body.Active,
	})
	return &Output[NewWebhook]{NewWebhook{Webhook: webhookObject(made.Webhook), Secret: made.Secret}}, err
}

func (s *server) listWebhooks(ctx context.Context, who service.Caller, in *listWebhooksInput) (*ListOutput[Webhook], error) {
	filter := models.WebhookFilter{OwnerIDs: in.OwnerID, ExternalIDs: in.ExternalID}
	if in.Active != "" {
		active := in.Active == "true"
		filter.Active = &active
	}
	webhooks, beside, err := s.Service.ListWebhooks(ctx, who, filter, in.Include == "headers", in.page())
	return listOf(webhooks, beside, webhookObject), err
}

func (s *server) getWebhook(ctx context.Context, who service.Caller, in *getWebhookInput) (*Output[Webhook], error) {
	webhook, err := s.Service.GetWebhook(ctx, who, in.ID, in.Include == "headers")
	return &Output[Webhook]{webhookObject(webhook)}, err
}

func (s *server) updateWebhook(ctx context.Context, who service.Caller, in *updateWebhookInput) (*Output[Webhook], error) {
	patch := in.Body
	webhook, err := s.Service.UpdateWebhook(ctx, who, in.ID, service.WebhookPatch{
		URL: patch.URL.Patch, Events: patch.Events.Patch, Description: patch.Description.Patch, Headers: patch.Headers.Patch,
		RetrySchedule: patchOf(patch.RetrySchedule, durations), RateLimit: patch.RateLimit.Patch, Active: patch.Active.Patch,
		Filter: patch.Filter.Patch, Transform: patch.Transform.Patch,
		WebhookNamesPatch: service.WebhookNamesPatch{ExternalID: patch.ExternalID.Patch, Metadata: patch.Metadata.Patch},
		Sending:           patch.sending(), Order: patch.order(),
	})
	return &Output[Webhook]{webhookObject(webhook)}, err
}

func (s *server) deleteWebhook(ctx context.Context, who service.Caller, in *webhookPath) (*struct{}, error) {
	return nil, s.Service.DeleteWebhook(ctx, who, in.ID)
}

func (s *server) testWebhook(ctx context.Context, who service.Caller, in *testWebhookInput) (*Output[TestResult], error) {
	eventType := ""
	if in.Body != nil {
		eventType = in.Body.EventType
	}
	attempt, err := s.Service.TestWebhook(ctx, who, in.ID, eventType)
	return &Output[TestResult]{TestResult{
		Success: attempt.ErrorClass == "", StatusCode: attempt.StatusCode, DurationMS: attempt.DurationMS,
		Error: orNull(attempt.Error), DeliveryID: attempt.DeliveryID,
	}}, err
}
