package attempt

import (
	"context"

	"github.com/postrider/postrider/models"
)

// report counts an attempt and logs it. A final failure is a warning, so that it is seen even if the owner has no email
// address and no Slack URL.
func (m *Maker) report(ctx context.Context, job models.Job, result Result) {
	if m.Attempted != nil {
		m.Attempted(ctx, result)
	}
	attributes := []any{
		"delivery_id", job.Delivery.ID, "webhook_id", job.Webhook.ID, "event", job.Event.Type,
		"attempt", result.Number, "status", result.Status, "duration_ms", result.DurationMS,
	}
	if result.Error != "" {
		attributes = append(attributes, "error_class", result.ErrorClass, "error", result.Error)
	}
	switch result.Status {
	case models.StatusPermanentlyFailed:
		m.Logger.WarnContext(ctx, "delivery failed permanently", append(attributes, "owner_id", job.Delivery.OwnerID)...)
	case models.StatusFailed, models.StatusCancelled:
		m.Logger.InfoContext(ctx, "attempt failed", append(attributes, "next_attempt_at", result.NextAttemptAt)...)
	default:
		m.Logger.DebugContext(ctx, "delivered", attributes...)
	}
}
