package dispatch

import (
	"context"

	"github.com/postrider/postrider/models"
)

// Receive stores an inbound event and returns when that is durable; its workflow starts in the background. It returns
// false when the source has sent the event before: nothing more happens then.
func (d *Dispatcher) Receive(ctx context.Context, inbound models.InboundEvent) (bool, error) {
	isNew, err := d.store.StoreInbound(ctx, &inbound)
	if err != nil || !isNew {
		return false, err
	}
	d.starter.InboundSoon(inbound)
	return true, nil
}

// Reprocess has an inbound event processed again, whatever became of it: what was published stays published.
func (d *Dispatcher) Reprocess(ctx context.Context, inbound models.InboundEvent) error {
	if err := d.store.ReprocessInbound(ctx, inbound.ID); err != nil {
		return err
	}
	return d.starter.ReprocessInbound(ctx, inbound)
}
