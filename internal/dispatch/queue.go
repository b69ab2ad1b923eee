package dispatch

import (
	"context"

	"github.com/postrider/postrider/models"
)

// startInTurn starts the workflow of a delivery that was just published to an ordered webhook, in the background, if it
// is the first in its queue. Any other gets its workflow when its turn comes: until then it costs Temporal nothing. It is
// asked after the commit, so that either whoever ends the delivery before it sees it, or it sees that it is the first.
func (d *Dispatcher) startInTurn(delivery models.Delivery) {
	d.starter.Soon(func(ctx context.Context) error {
		if inTurn, err := d.store.InTurn(ctx, []models.Delivery{delivery}); err != nil || len(inTurn) == 0 {
			return err
		}
		return d.starter.StartDelivery(ctx, delivery)
	})
}

// moveUp has the first delivery in the queue of a webhook go on.
func (d *Dispatcher) moveUp(webhookID string) {
	d.starter.MoveUp(func(ctx context.Context) (models.Delivery, error) { return d.store.FirstInQueue(ctx, webhookID) })
}
