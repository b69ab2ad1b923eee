package service

import (
	"context"
	"errors"
	"time"

	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type webhookStore interface {
	CreateWebhook(ctx context.Context, webhook *models.Webhook, secret string) error
	Webhook(ctx context.Context, scope models.Scope, id string) (models.Webhook, error)
	Webhooks(ctx context.Context, scope models.Scope, filter models.WebhookFilter, page models.Page) ([]models.Webhook, models.Cursors, error)
	UpdateWebhook(ctx context.Context, scope models.Scope, id string, change func(*models.Webhook) error) (models.Webhook, error)
	DeleteWebhook(ctx context.Context, scope models.Scope, id string) error
	WebhookHealths(ctx context.Context, ids []string) (map[string]models.WebhookHealth, error)
	RotateSecret(ctx context.Context, scope models.Scope, id string, rotation models.Rotation) (models.Webhook, error)
	OpenHeaders(webhook models.Webhook) (models.Headers, error)
	OpenCredentials(webhook models.Webhook) (models.Credentials, error)
	PublicKeys(ctx context.Context, webhookID string, limit int) ([]models.PublicKeys, error)
}

type webhookDispatcher interface {
	Test(ctx context.Context, webhook models.Webhook) (models.Delivery, error)
	TestExample(ctx context.Context, webhook models.Webhook, eventType string, data []byte) (models.Delivery, error)
	WebhookChanged(before, now models.Webhook)
}

// Webhook is a webhook as callers see it.
type Webhook struct {
	models.Webhook
	Health models.WebhookHealth
	// ShownHeaders are the headers; their values are Masked unless they were asked for.
	ShownHeaders map[string]string
	// Credentials are what it has of them, without what must not be shown again.
	Credentials models.Credentials
}

// WebhookWithSecret is a webhook with its new secret, which is shown once.
type WebhookWithSecret struct {
	Webhook
	Secret string
}

// The states of a webhook's health.
const (
	HealthHealthy  = "healthy"
	HealthFailing  = "failing"
	HealthDisabled = "disabled"
)

// HealthStatus says how the webhook's receiver is.
func (w Webhook) HealthStatus() string {
	switch {
	case w.DisabledReason != "":
		return HealthDisabled
	case w.Health.FailingSince != nil:
		return HealthFailing
	}
	return HealthHealthy
}

// shownWebhook is a webhook whose header values are masked. A throttle that has ended is not shown.
func shownWebhook(webhook models.Webhook, health models.WebhookHealth, now time.Time) Webhook {
	if health.ThrottledUntil != nil && !health.ThrottledUntil.After(now) {
		health.ThrottledUntil = nil
	}
	return Webhook{Webhook: webhook, Health: health, ShownHeaders: masked(webhook.Headers)}
}

// shownWebhooks adds to webhooks what is shown of them.
func (s *Service) shownWebhooks(ctx context.Context, webhooks ...models.Webhook) ([]Webhook, error) {
	ids := make([]string, len(webhooks))
	for i, webhook := range webhooks {
		ids[i] = webhook.ID
	}
	healths, err := s.store.WebhookHealths(ctx, ids)
	if err != nil {
		return nil, err
	}
	shown := make([]Webhook, len(webhooks))
	for i, webhook := range webhooks {
		shown[i] = shownWebhook(webhook, healths[webhook.ID], s.now())
	}
	return shown, s.showCredentials(shown)
}

func (s *Service) shownWebhook(ctx context.Context, webhook models.Webhook) (Webhook, error) {
	shown, err := s.shownWebhooks(ctx, webhook)
	if err != nil {
		return Webhook{}, err
	}
	return shown[0], nil
}

// NewWebhook describes a webhook that is to be made.
type NewWebhook struct {
	// OwnerID is for administrators: whose webhook it is; the default owner's when empty.
	OwnerID     string
	URL         string
	Description string
	Events      []string
	Headers     models.Headers
	// RetrySchedule has the waits after each failure; nil for the installation's.
	RetrySchedule []Duration
	// RateLimit is in requests a second; nil for no limit.
	RateLimit *float64
	// Order says whether deliveries are made one after the other.
	Order NewOrder
	// Filter and Transform are in CEL; empty for none.
	Filter, Transform string
	// Secret signs the requests; nil for a new one.
	Secret *string
	// Sending says how the requests are made.
	Sending NewSending
	// Paused makes it inactive: it gets nothing until it is resumed.
	Paused bool
	WebhookNames
}

// CreateWebhook makes a webhook, active unless it is to be paused.
func (s *Service) CreateWebhook(ctx context.Context, who Caller, in NewWebhook) (WebhookWithSecret, error) {
	webhook := models.Webhook{
		OwnerID: in.OwnerID, URL: in.URL, Description: tidy(in.Description), Events: in.Events,
		Headers: in.Headers, RateLimit: in.RateLimit, Filter: in.Filter, Transform: in.Transform, Active: !in.Paused,
	}
	var wrong faults
	wrong.url(&webhook, judge{s.targets, who})
	wrong.events(webhook.Events)
	wrong.headers(webhook.Headers)
	wrong.description(webhook.Description)
	wrong.rateLimit(webhook.RateLimit)
	webhook.Queueing = wrong.order(in.Order)
	wrong.rule(s.rules, rules.Filter, webhook.Filter)
	wrong.rule(s.rules, rules.Transform, webhook.Transform)
	in.nameTo(&webhook, &wrong)
	in.Sending.apply(&webhook, judge{s.targets, who}, &wrong)
	wrong.secretOf(webhook.Signing, in.Secret)
	if in.RetrySchedule != nil {
		webhook.RetrySchedule = wrong.schedule(in.RetrySchedule)
	}
	var err error
	if webhook.OwnerID, err = s.ownerOf(ctx, who, webhook.OwnerID, &wrong); err != nil {
		return WebhookWithSecret{}, err
	}
	if err := wrong.err(); err != nil {
		return WebhookWithSecret{}, err
	}
	secret, publicKey, err := signingKey(webhook.Signing, in.Secret)
	if err != nil {
		return WebhookWithSecret{}, err
	}
	webhook.PublicKeys = webhook.PublicKeys.With(publicKey)
	err = s.store.CreateWebhook(withQuota(ctx, who, s.quotas.Webhooks), &webhook, secret)
	if errors.Is(err, models.ErrNotFound) {
		err = invalid("owner_id", unknownOwner)
	}
	if err != nil {
		return WebhookWithSecret{}, err
	}
	s.audit(ctx, who, "create-webhook", webhook.ID, webhook.OwnerID)
	shown := []Webhook{shownWebhook(webhook, models.WebhookHealth{}, webhook.CreatedAt)}
	err = s.showCredentials(shown)
	return WebhookWithSecret{shown[0], secret}, err
}

// ListWebhooks returns a page of webhooks with the cursors of those beside. withHeaders shows the values of their headers.
func (s *Service) ListWebhooks(ctx context.Context, who Caller, filter models.WebhookFilter, withHeaders bool, page models.Page) ([]Webhook, models.Cursors, error) {
	if err := errors.Join(s.ownerFilter(ctx, who, &filter.OwnerIDs), checkNameFilter(filter.ExternalIDs)); err != nil {
		return nil, models.Cursors{}, err
	}
	webhooks, beside, err := s.store.Webhooks(ctx, who.scope(), filter, page)
	if err != nil {
		return nil, models.Cursors{}, err
	}
	shown, err := s.shownWebhooks(ctx, webhooks...)
	if err != nil || !withHeaders {
		return shown, beside, err
	}
	return shown, beside, s.showHeaders(who, shown)
}

// GetWebhook returns a webhook. withHeaders shows the values of its headers.
func (s *Service) GetWebhook(ctx context.Context, who Caller, id string, withHeaders bool) (Webhook, error) {
	webhook, err := load(ctx, who, typeid.KindWebhook, id, s.store.Webhook)
	if err != nil {
		return Webhook{}, err
	}
	shown, err := s.shownWebhooks(ctx, webhook)
	if err == nil && withHeaders {
		err = s.showHeaders(who, shown)
	}
	if err != nil {
		return Webhook{}, err
	}
	return shown[0], nil
}

// WebhookPatch changes a webhook. Headers are merged; null removes all.
type WebhookPatch struct {
	URL           Patch[string]
	Events        Patch[[]string]
	Description   Patch[string]
	Headers       Patch[map[string]*string]
	RetrySchedule Patch[[]Duration]
	RateLimit     Patch[float64]
	Order         OrderPatch
	Filter        Patch[string]
	Transform     Patch[string]
	Active        Patch[bool]
	Sending       SendingPatch
	WebhookNamesPatch
}

// UpdateWebhook changes a webhook. Deliveries that wait for it continue where the change allows it.
func (s *Service) UpdateWebhook(ctx context.Context, who Caller, id string, patch WebhookPatch) (Webhook, error) {
	var before models.Webhook
	webhook, err := load(ctx, who, typeid.KindWebhook, id, func(ctx context.Context, scope models.Scope, id string) (models.Webhook, error) {
		return s.store.UpdateWebhook(ctx, scope, id, func(webhook *models.Webhook) error {
			before = *webhook
			var wrong faults
			if err := s.patchHeaders(patch.Headers, webhook, &wrong); err != nil {
				return err
			}
			s.patchRules(patch, webhook, &wrong)
			by := judge{s.targets, who}
			patch.apply(webhook, by, &wrong)
			if err := s.patchCredentials(patch.Sending, webhook, by, &wrong); err != nil {
				return err
			}
			return wrong.err()
		})
	})
	if err != nil {
		return Webhook{}, err
	}
	s.dispatcher.WebhookChanged(before, webhook)
	s.audit(ctx, who, "update-webhook", webhook.ID, webhook.OwnerID)
	return s.shownWebhook(ctx, webhook)
}

// apply changes a webhook by all of the patch but its headers and credentials.
func (patch WebhookPatch) apply(webhook *models.Webhook, by judge, wrong *faults) {
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
	patch.Order.apply(&webhook.Queueing, wrong)
	if patch.Description.Set {
		webhook.Description = tidy(patch.Description.Value)
		wrong.description(webhook.Description)
	}
	patch.rename(webhook, wrong)
	patch.Sending.apply(webhook, wrong)
	wrong.active(patch.Active)
	patch.Active.to(&webhook.Active)
	if webhook.Active {
		webhook.DisabledReason = ""
	}
}

// DeleteWebhook ends a webhook. What still waits for it is cancelled.
func (s *Service) DeleteWebhook(ctx context.Context, who Caller, id string) error {
	_, err := load(ctx, who, typeid.KindWebhook, id, func(ctx context.Context, scope models.Scope, id string) (struct{}, error) {
		return struct{}{}, s.store.DeleteWebhook(ctx, scope, id)
	})
	if err == nil {
		s.audit(ctx, who, "delete-webhook", id, "")
	}
	return err
}
