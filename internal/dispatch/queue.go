package dispatch

import (
	"context"

	"github.com/postrider/postrider/models"
)

// moveUp has the first delivery in the queue of a webhook go on.
func (d *Dispatcher) moveUp(webhookID string) {
	d.starter.MoveUp(func(ctx context.Context) (models.Delivery, error) { return d.store.FirstInQueue(ctx, webhookID) })
}
