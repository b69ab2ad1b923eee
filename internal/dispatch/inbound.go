package dispatch

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// Receive stores an inbound event and returns when that is durable; its workflow starts behind it. It returns
// false when the source has sent the event before: nothing more happens then.
func (d *Dispatcher) Receive(ctx context.Context, inbound models.InboundEvent) (bool, error) {
	fresh, err := d.store.StoreInbound(ctx, &inbound)
	if err != nil || !fresh {
		return false, err
	}
	d.starter.add(func(ctx context.Context) error { return d.startInbound(ctx, inbound) })
	return true, nil
}

func (d *Dispatcher) startInbound(ctx context.Context, inbound models.InboundEvent) error {
	in := workflows.InboundInput{InboundEventID: inbound.ID}
	_, err := d.temporal.ExecuteWorkflow(ctx, workflows.InboundOptions(inbound), workflows.TypeInbound, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return unavailable(err)
}

// Reprocess has an inbound event processed anew, whatever became of it: what was published stays published.
func (d *Dispatcher) Reprocess(ctx context.Context, inbound models.InboundEvent) error {
	if err := d.store.ReprocessInbound(ctx, inbound.ID); err != nil {
		return err
	}
	in := workflows.InboundInput{InboundEventID: inbound.ID}
	_, err := d.temporal.ExecuteWorkflow(ctx, workflows.InboundOptions(inbound), workflows.TypeInbound, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // the run finds the event pending, or the sweep does if it had just looked
	}
	return unavailable(err)
}
