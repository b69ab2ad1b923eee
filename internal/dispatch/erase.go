package dispatch

import (
	"context"

	"github.com/postrider/postrider/models"
)

// Erase erases an event's data and returns when that is durable; the workflows of deliveries that waited end in the
// background, or when they look again.
func (d *Dispatcher) Erase(ctx context.Context, eventID string) (models.Event, error) {
	event, waiting, err := d.store.EraseEvent(ctx, eventID)
	if err != nil {
		return models.Event{}, err
	}
	if d.forget != nil {
		d.forget(eventID)
	}
	for _, delivery := range waiting {
		if delivery.Queued() {
			d.moveUp(delivery.WebhookID)
		}
		d.starter.Soon(func(ctx context.Context) error { return d.endRun(ctx, delivery.ID) })
	}
	return event, nil
}

// endRun cancels the run of a delivery that is cancelled already.
func (d *Dispatcher) endRun(ctx context.Context, deliveryID string) error {
	run, err := d.starter.LatestRun(ctx, deliveryID)
	if err != nil || !run.Running {
		return err
	}
	return d.cancelRun(ctx, deliveryID, run)
}
