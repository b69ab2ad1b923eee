package api

import (
	"time"

	"github.com/postrider/postrider/internal/service"
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

func healthObject(w service.Webhook) WebhookHealth {
	h := w.Health
	return WebhookHealth{
		Status: w.HealthStatus(), ConsecutiveFailures: h.ConsecutiveFailures, FailedDeliveries: h.FailedDeliveries,
		FirstFailureAt: inUTC(h.FirstFailureAt), LastFailureAt: inUTC(h.LastFailureAt), LastSuccessAt: inUTC(h.LastSuccessAt),
		ThrottledUntil: inUTC(h.ThrottledUntil),
	}
}
