package start

import (
	"context"
	"slices"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// StartDelivery starts the first run of a delivery; one that was started already is left alone.
func (s *Starter) StartDelivery(ctx context.Context, delivery models.Delivery) error {
	return s.startFirst(ctx, firstOptions(delivery, contract.DeliveryOptions(ofDelivery(delivery))))
}

// StartDeliveries starts the first runs of deliveries, but of those that are held, and returns when all are started.
func (s *Starter) StartDeliveries(ctx context.Context, deliveries []models.Delivery) error {
	deliveries = slices.DeleteFunc(deliveries, func(delivery models.Delivery) bool { return s.held.has(delivery.ID) })
	return Each(ctx, deliveries, s.StartDelivery)
}

func (s *Starter) startFirst(ctx context.Context, options client.StartWorkflowOptions) error {
	in := contract.DeliveryInput{DeliveryID: options.ID}
	_, err := s.temporal.ExecuteWorkflow(ctx, options, contract.TypeDelivery, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return Unavailable(err)
}

// StartTest starts a delivery that tests a webhook, and returns its run to be waited for.
func (s *Starter) StartTest(ctx context.Context, delivery models.Delivery) (client.WorkflowRun, error) {
	in := contract.DeliveryInput{DeliveryID: delivery.ID}
	run, err := s.temporal.ExecuteWorkflow(ctx, contract.DeliveryOptions(ofDelivery(delivery)), contract.TypeDelivery, in)
	return run, Unavailable(err)
}

// Resend signals a delivery's run, or starts another one with the full schedule. While the delivery is held, that is
// done in the background when it is let go.
func (s *Starter) Resend(ctx context.Context, delivery models.Delivery, requestedBy string) error {
	if s.held.after(delivery.ID, func() {
		s.Soon(func(ctx context.Context) error { return s.resend(ctx, delivery, requestedBy) })
	}) {
		return nil
	}
	return s.resend(ctx, delivery, requestedBy)
}

func (s *Starter) resend(ctx context.Context, delivery models.Delivery, requestedBy string) error {
	run, err := s.LatestRun(ctx, delivery.ID)
	if err != nil {
		return err
	}
	signal := contract.ResendSignal{RequestedBy: requestedBy, BeforeCancel: run.Running && !run.Cancelled}
	_, err = s.temporal.SignalWithStartWorkflow(ctx, delivery.ID, contract.SignalResend, signal,
		contract.ResendOptions(ofDelivery(delivery)), contract.TypeDelivery, contract.DeliveryInput{DeliveryID: delivery.ID})
	return Unavailable(err)
}

// Release tells the runs of deliveries that a setting of their webhook was changed; one that has ended is left alone.
func (s *Starter) Release(ctx context.Context, deliveryIDs []string, signal contract.ReleaseSignal) error {
	return Each(ctx, deliveryIDs, func(ctx context.Context, id string) error {
		if err := s.temporal.SignalWorkflow(ctx, id, "", contract.SignalRelease, signal); !notRunning(err) {
			return Unavailable(err)
		}
		return nil
	})
}
