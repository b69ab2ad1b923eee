package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
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
	Health         WebhookHealth     `json:"health"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
}

// NewWebhook is a webhook with the secret that is shown only once.
type NewWebhook struct {
	Webhook
	Secret string `json:"secret" doc:"Verifies signatures. It is shown only here and on rotation."`
}

// webhookObject shows a webhook; the values of its headers are masked.
func webhookObject(w models.Webhook, health models.WebhookHealth, now time.Time) Webhook {
	object := Webhook{
		ID: w.ID, OwnerID: w.OwnerID, URL: w.URL, Description: w.Description, Events: w.Events, Headers: masked(w.Headers),
		Active: w.Active, DisabledReason: orNull(w.DisabledReason),
		RateLimit: w.RateLimit, Health: healthObject(w, health, now),
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
		OwnerID       string            `json:"owner_id,omitempty" doc:"For administrators: whose webhook it is; the owner default when left out."`
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
	Include string `query:"include" enum:"headers" doc:"headers: with the values of the headers."`
	OwnerID string `query:"owner_id" doc:"Only this owner's."`
	Active  string `query:"active" enum:"true,false" doc:"Only active, or only inactive ones."`
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
		Active        Patch[bool]               `json:"active,omitempty" doc:"False pauses; true resumes and clears disabled_reason."`
	}
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
	huma.Register(api, operation("create-webhook", http.MethodPost, "/webhooks", tag, "Create a webhook", http.StatusCreated, 409), s.createWebhook)
	huma.Register(api, operation("list-webhooks", http.MethodGet, "/webhooks", tag, "List webhooks", http.StatusOK), s.listWebhooks)
	huma.Register(api, operation("get-webhook", http.MethodGet, "/webhooks/{id}", tag, "Show a webhook", http.StatusOK, 404), s.getWebhook)
	huma.Register(api, operation("update-webhook", http.MethodPatch, "/webhooks/{id}", tag, "Change a webhook", http.StatusOK, 404), s.updateWebhook)
	huma.Register(api, operation("delete-webhook", http.MethodDelete, "/webhooks/{id}", tag, "Delete a webhook", http.StatusNoContent, 404), s.deleteWebhook)
	huma.Register(api, operation("test-webhook", http.MethodPost, "/webhooks/{id}/test", tag, "Send a test event and wait for the answer", http.StatusOK, 404, 409), s.testWebhook)
}

func (s *server) createWebhook(ctx context.Context, in *createWebhookInput) (*Output[NewWebhook], error) {
	who := whoAsks(ctx)
	webhook := models.Webhook{
		OwnerID: in.Body.OwnerID, URL: in.Body.URL, Description: stored(in.Body.Description), Events: in.Body.Events,
		Headers: in.Body.Headers, RateLimit: in.Body.RateLimit, Active: true,
	}
	var wrong faults
	wrong.url(&webhook, s.judge(ctx))
	wrong.events(webhook.Events)
	wrong.headers(webhook.Headers)
	wrong.description(webhook.Description)
	wrong.rateLimit(webhook.RateLimit)
	wrong.secret(in.Body.Secret)
	if in.Body.RetrySchedule != nil {
		webhook.RetrySchedule = wrong.schedule(in.Body.RetrySchedule)
	}
	webhook.OwnerID = wrong.ownerOf(who, webhook.OwnerID)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	secret, err := givenOrNew(in.Body.Secret)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	err = s.Store.CreateWebhook(within(ctx, s.Quotas.Webhooks), &webhook, secret)
	if errors.Is(err, models.ErrNotFound) {
		err = invalid("body.owner_id", unknownOwner)
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[NewWebhook]{NewWebhook{Webhook: webhookObject(webhook, models.WebhookHealth{}, webhook.CreatedAt), Secret: secret}}, nil
}

func (s *server) listWebhooks(ctx context.Context, in *listWebhooksInput) (*ListOutput[Webhook], error) {
	if err := checkFilter(typeid.KindOwner, "owner_id", in.OwnerID); err != nil {
		return nil, err
	}
	filter := models.WebhookFilter{OwnerID: in.OwnerID}
	if in.Active != "" {
		active := in.Active == "true"
		filter.Active = &active
	}
	webhooks, next, err := s.Store.Webhooks(ctx, whoAsks(ctx).scope(), filter, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	objects, err := s.webhookObjects(ctx, webhooks...)
	if err != nil {
		return nil, err
	}
	if err := s.include(ctx, in.Include, webhooks, objects); err != nil {
		return nil, err
	}
	return listOf(objects, next, func(w Webhook) Webhook { return w }), nil
}

// webhook loads the webhook of a path for who asks.
func (s *server) webhook(ctx context.Context, id string) (models.Webhook, error) {
	if err := checkID(typeid.KindWebhook, "webhook", id); err != nil {
		return models.Webhook{}, err
	}
	webhook, err := s.Store.Webhook(ctx, whoAsks(ctx).scope(), id)
	if err != nil {
		return webhook, s.fail(ctx, orNotFound(err, "webhook", id))
	}
	return webhook, nil
}

func (s *server) getWebhook(ctx context.Context, in *getWebhookInput) (*Output[Webhook], error) {
	webhook, err := s.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	objects, err := s.webhookObjects(ctx, webhook)
	if err != nil {
		return nil, err
	}
	if err := s.include(ctx, in.Include, []models.Webhook{webhook}, objects); err != nil {
		return nil, err
	}
	return &Output[Webhook]{objects[0]}, nil
}

func (s *server) updateWebhook(ctx context.Context, in *updateWebhookInput) (*Output[Webhook], error) {
	if err := checkID(typeid.KindWebhook, "webhook", in.ID); err != nil {
		return nil, err
	}
	var before models.Webhook
	webhook, err := s.Store.UpdateWebhook(ctx, whoAsks(ctx).scope(), in.ID, func(webhook *models.Webhook) error {
		before = *webhook
		var wrong faults
		if err := s.patchHeaders(in.Body.Headers, webhook, &wrong); err != nil {
			return err
		}
		return in.apply(webhook, s.judge(ctx), wrong)
	})
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "webhook", in.ID))
	}
	s.Dispatcher.WebhookChanged(before, webhook)
	return s.webhookOutput(ctx, webhook)
}

// apply changes a webhook by all of the patch but its headers, or says what is wrong with the patch.
func (in *updateWebhookInput) apply(webhook *models.Webhook, by judge, wrong faults) error {
	patch := in.Body
	if patch.URL.Set {
		webhook.URL = patch.URL.Value
		wrong.url(webhook, by)
	}
	if patch.Events.Set {
		webhook.Events = patch.Events.Value
		wrong.events(webhook.Events)
	}
	if patch.RetrySchedule.Set {
		webhook.RetrySchedule = nil
		if !patch.RetrySchedule.Null {
			webhook.RetrySchedule = wrong.schedule(patch.RetrySchedule.Value)
		}
	}
	if patch.RateLimit.Set {
		webhook.RateLimit = nil
		if !patch.RateLimit.Null {
			webhook.RateLimit = &patch.RateLimit.Value
		}
		wrong.rateLimit(webhook.RateLimit)
	}
	if patch.Description.Set {
		webhook.Description = stored(patch.Description.Value)
		wrong.description(webhook.Description)
	}
	if patch.Active.Null {
		wrong.add("body.active", "expected true or false")
	}
	patch.Active.to(&webhook.Active)
	if webhook.Active {
		webhook.DisabledReason = ""
	}
	return wrong.err()
}

func (s *server) deleteWebhook(ctx context.Context, in *webhookPath) (*struct{}, error) {
	if err := checkID(typeid.KindWebhook, "webhook", in.ID); err != nil {
		return nil, err
	}
	if err := s.Store.DeleteWebhook(ctx, whoAsks(ctx).scope(), in.ID); err != nil {
		return nil, s.fail(ctx, orNotFound(err, "webhook", in.ID))
	}
	return nil, nil //nolint:nilnil // 204 has no body
}

func (s *server) testWebhook(ctx context.Context, in *webhookPath) (*Output[TestResult], error) {
	webhook, err := s.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	delivery, err := s.Dispatcher.Test(ctx, webhook)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	attempts, err := s.Store.Attempts(ctx, delivery.ID)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	if len(attempts) == 0 {
		return nil, s.fail(ctx, errors.New("test ended without an attempt"))
	}
	last := attempts[len(attempts)-1]
	return &Output[TestResult]{TestResult{
		Success: last.ErrorClass == "", StatusCode: last.StatusCode, DurationMS: last.DurationMS,
		Error: orNull(last.Error), DeliveryID: delivery.ID,
	}}, nil
}
