package api

import (
	"context"
	"time"

	"github.com/postrider/postrider/models"
)

// WebhookHealth is what the last attempts say of a webhook's receiver.
type WebhookHealth struct {
	Status              string     `json:"status" enum:"healthy,failing,disabled" doc:"failing after 10 deliveries given up in a row, or 24 hours without a success; disabled when Postrider disabled it."`
	ConsecutiveFailures int        `json:"consecutive_failures" doc:"Attempts that failed since the last success."`
	FailedDeliveries    int        `json:"failed_deliveries" doc:"Deliveries given up since the last success."`
	FirstFailureAt      *time.Time `json:"first_failure_at" doc:"When the first of them failed; null when the last attempt succeeded. A recovery since then brings back all that was given up."`
	LastFailureAt       *time.Time `json:"last_failure_at"`
	LastSuccessAt       *time.Time `json:"last_success_at" doc:"To the minute; null before the first."`
	ThrottledUntil      *time.Time `json:"throttled_until" doc:"Until then first attempts wait, because the receiver asked for it or seems to be overloaded; null when they do not."`
}

func healthObject(w models.Webhook, h models.WebhookHealth, now time.Time) WebhookHealth {
	object := WebhookHealth{
		Status: "healthy", ConsecutiveFailures: h.ConsecutiveFailures, FailedDeliveries: h.FailedDeliveries,
		FirstFailureAt: utc(h.FirstFailureAt), LastFailureAt: utc(h.LastFailureAt), LastSuccessAt: utc(h.LastSuccessAt),
	}
	if h.ThrottledUntil != nil && h.ThrottledUntil.After(now) {
		object.ThrottledUntil = utc(h.ThrottledUntil)
	}
	switch {
	case w.DisabledReason != "":
		object.Status = "disabled"
	case h.FailingSince != nil:
		object.Status = "failing"
	}
	return object
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	in := at.UTC()
	return &in
}

// webhookObjects shows webhooks with their health.
func (s *server) webhookObjects(ctx context.Context, webhooks ...models.Webhook) ([]Webhook, error) {
	ids := make([]string, len(webhooks))
	for i, webhook := range webhooks {
		ids[i] = webhook.ID
	}
	healths, err := s.Store.WebhookHealths(ctx, ids)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	objects := make([]Webhook, len(webhooks))
	for i, webhook := range webhooks {
		objects[i] = webhookObject(webhook, healths[webhook.ID], s.Now())
	}
	return objects, nil
}

func (s *server) webhookOutput(ctx context.Context, webhook models.Webhook) (*Output[Webhook], error) {
	objects, err := s.webhookObjects(ctx, webhook)
	if err != nil {
		return nil, err
	}
	return &Output[Webhook]{objects[0]}, nil
}
