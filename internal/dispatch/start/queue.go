package start

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// MoveUp has the first delivery in the queue of an ordered webhook go on, in the background. The function looks it up;
// models.ErrNotFound says that there is none.
func (s *Starter) MoveUp(first func(ctx context.Context) (models.Delivery, error)) {
	s.Soon(func(ctx context.Context) error {
		delivery, err := first(ctx)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.Wake(ctx, delivery)
	})
}

// Wake has a delivery go on whose turn has come: its workflow is started or, if a run waits for the turn, told. One that
// this process attempts without a workflow is left alone.
func (s *Starter) Wake(ctx context.Context, delivery models.Delivery) error {
	switch {
	case s.held.has(delivery.ID):
		return nil
	case delivery.Status == models.StatusPending && delivery.RunID == "":
		return s.startOrLeave(ctx, delivery)
	}
	err := s.temporal.SignalWorkflow(ctx, delivery.ID, "", contract.SignalRelease, contract.ReleaseSignal{})
	switch {
	case !notRunning(err):
		return Unavailable(err)
	case delivery.Status == models.StatusPending:
		return s.startAgain(ctx, delivery)
	}
	return nil
}

// startOrLeave starts a delivery that no run waits for. A run that there is makes its attempt; one that has ended without
// an attempt, because the webhook was paused then, is followed by another one.
func (s *Starter) startOrLeave(ctx context.Context, delivery models.Delivery) error {
	_, err := s.temporal.ExecuteWorkflow(ctx, contract.DeliveryOptions(ofDelivery(delivery)), contract.TypeDelivery,
		contract.DeliveryInput{DeliveryID: delivery.ID})
	if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return Unavailable(err)
	}
	run, err := s.LatestRun(ctx, delivery.ID)
	if err != nil || run.Running {
		return err
	}
	return s.startAgain(ctx, delivery)
}

// WakeAll wakes deliveries and returns when that is done.
func (s *Starter) WakeAll(ctx context.Context, deliveries []models.Delivery) error {
	return Each(ctx, deliveries, s.Wake)
}

// startAgain starts another run of a delivery that a recovery had queue up once more.
func (s *Starter) startAgain(ctx context.Context, delivery models.Delivery) error {
	_, err := s.temporal.ExecuteWorkflow(ctx, contract.TurnOptions(ofDelivery(delivery)), contract.TypeDelivery,
		contract.DeliveryInput{DeliveryID: delivery.ID, Turn: true})
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // someone has resent it, or another process did the same
	}
	return Unavailable(err)
}
