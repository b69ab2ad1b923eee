package dispatch

import (
	"context"
	"errors"

	"github.com/postrider/postrider/models"
)

// Resend has a delivery attempted now: one that waits by a signal, one that has ended by another run with the full
// schedule. requestedBy is shown in the workflow's history.
func (d *Dispatcher) Resend(ctx context.Context, delivery models.Delivery, requestedBy string) error {
	if delivery.Erased {
		return models.ErrErased
	}
	webhook, err := d.store.Webhook(ctx, models.Scope{}, delivery.WebhookID)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return ErrWebhookDeleted
	case err != nil:
		return err
	case webhook.Suspended:
		return models.ErrOwnerSuspended
	case !webhook.Active && !delivery.Test:
		return ErrWebhookInactive
	}
	return d.starter.Resend(ctx, delivery, requestedBy)
}
