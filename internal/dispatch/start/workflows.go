package start

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// StartFanOut starts the workflow that starts all deliveries of an event.
func (s *Starter) StartFanOut(ctx context.Context, eventID string) error {
	in := contract.FanOutInput{EventID: eventID}
	_, err := s.temporal.ExecuteWorkflow(ctx, contract.FanOutOptions(eventID), contract.TypeFanOut, in)
	return Unavailable(err)
}

// StartRelease starts the workflow that wakes the deliveries waiting for a webhook, or tells it of a further change.
func (s *Starter) StartRelease(ctx context.Context, in contract.ReleaseInput) error {
	options := contract.ReleaseOptions(in.WebhookID)
	_, err := s.temporal.SignalWithStartWorkflow(ctx, options.ID, contract.SignalRelease, in, options, contract.TypeRelease, in)
	return Unavailable(err)
}

// StartRecovery starts a recovery's workflow; one that runs is left alone.
func (s *Starter) StartRecovery(ctx context.Context, recovery models.Recovery) error {
	in := contract.RecoveryInput{RecoveryID: recovery.ID}
	_, err := s.temporal.ExecuteWorkflow(ctx, contract.RecoveryOptions(ofRecovery(recovery)), contract.TypeRecovery, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return Unavailable(err)
}

// StartRecoveries starts the workflows of recoveries; those that run are left alone.
func (s *Starter) StartRecoveries(ctx context.Context, recoveries []models.Recovery) error {
	return Each(ctx, recoveries, s.StartRecovery)
}

// SignalRecovery signals a recovery's workflow, and starts one first where the last was terminated.
func (s *Starter) SignalRecovery(ctx context.Context, recovery models.Recovery, signal string, argument contract.SteerSignal) error {
	_, err := s.temporal.SignalWithStartWorkflow(ctx, recovery.ID, signal, argument,
		contract.RecoveryOptions(ofRecovery(recovery)), contract.TypeRecovery, contract.RecoveryInput{RecoveryID: recovery.ID})
	return Unavailable(err)
}

// StartOwnerDeletion starts the workflow that removes what an owner had; one that runs is left alone.
func (s *Starter) StartOwnerDeletion(ctx context.Context, ownerID string) error {
	_, err := s.temporal.ExecuteWorkflow(ctx, contract.OwnerDeletionOptions(ownerID), contract.TypeOwnerDeletion,
		contract.OwnerDeletion{OwnerID: ownerID})
	return Unavailable(err)
}

// StartOwnerDeletions starts the workflows that remove what owners had; those that run are left alone.
func (s *Starter) StartOwnerDeletions(ctx context.Context, ownerIDs []string) error {
	return Each(ctx, ownerIDs, s.StartOwnerDeletion)
}
