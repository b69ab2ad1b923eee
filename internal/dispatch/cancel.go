package dispatch

import (
	"context"
	"errors"

	"go.temporal.io/api/serviceerror"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/models"
)

// cancelledOnRequest is the reason of a delivery that an API call cancels.
const cancelledOnRequest = "cancelled on request"

// Cancel stops a delivery that waits, or for which the queue of an ordered webhook does. An attempt under way is finished
// first, and counts when it succeeds. One that has ended otherwise is models.ErrFinished.
func (d *Dispatcher) Cancel(ctx context.Context, delivery models.Delivery) error {
	for {
		run, err := d.starter.LatestRun(ctx, delivery.ID)
		over := delivery.Status.Finished() && !resentSince(delivery, run)
		if over && !delivery.Queued() {
			return models.ErrFinished
		}
		if err != nil {
			return err
		}
		if over || !run.Running { // a run that gave up may still be ending, and would not see a cancellation
			return d.cancelWaiting(ctx, delivery)
		}
		err = d.cancelRun(ctx, delivery.ID, run)
		var ended *serviceerror.NotFound
		if !errors.As(err, &ended) {
			return start.Unavailable(err)
		}
	}
}

// cancelWaiting cancels a delivery that no run is about. What stands behind it in a queue goes on.
func (d *Dispatcher) cancelWaiting(ctx context.Context, delivery models.Delivery) error {
	err := d.store.CancelDelivery(ctx, delivery.ID, models.CauseRequest, cancelledOnRequest)
	if err == nil && delivery.Queued() {
		d.moveUp(delivery.WebhookID)
	}
	return err
}

// resentSince says that a delivery which had ended was resent, and that no attempt has been made since.
func resentSince(delivery models.Delivery, run start.Run) bool {
	return run.Running && (run.Cancelled || run.ID != delivery.RunID)
}

// cancelRun cancels a run. One that was cancelled before may have been asked for another attempt since then, which
// is taken back.
func (d *Dispatcher) cancelRun(ctx context.Context, deliveryID string, run start.Run) error {
	if run.Cancelled {
		return d.temporal.SignalWorkflow(ctx, deliveryID, run.ID, contract.SignalResend, contract.ResendSignal{Withdrawn: true})
	}
	return d.temporal.CancelWorkflow(ctx, deliveryID, run.ID)
}

// CancelDeliveries cancels deliveries; those that have ended are left alone.
func (d *Dispatcher) CancelDeliveries(ctx context.Context, deliveries []models.Delivery) error {
	return start.Each(ctx, deliveries, func(ctx context.Context, delivery models.Delivery) error {
		if err := d.Cancel(ctx, delivery); !errors.Is(err, models.ErrFinished) {
			return err
		}
		return nil
	})
}
