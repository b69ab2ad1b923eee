package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// ErrTypeRecoveryNotFound is the type of the error for a recovery that is not in the database.
const ErrTypeRecoveryNotFound = "RecoveryNotFound"

// collectPage is how many deliveries or events one activity looks at: a fraction of a second of work.
const collectPage = 10_000

// RecoveryStore is what recoveries need of the database.
type RecoveryStore interface {
	CollectRecovery(ctx context.Context, id string, limit int) (models.Recovery, error)
	ClaimRecovery(ctx context.Context, id string, limit int) ([]models.Delivery, models.Recovery, error)
	FinishRecoveryPage(ctx context.Context, id string, deliveries []models.Delivery) (models.Recovery, error)
	SetRecoveryStatus(ctx context.Context, id string, status models.RecoveryStatus, reason string) (models.Recovery, error)
	UnstartedRecoveries(ctx context.Context, madeBy time.Time, limit int) ([]models.Recovery, error)
}

// RecoveryStarter starts what recoveries need.
type RecoveryStarter interface {
	// StartRecovered starts deliveries for a recovery, those that have ended anew. Asking again starts nothing twice.
	StartRecovered(ctx context.Context, namespace, recoveryID string, deliveries []models.Delivery) error
	// StartRecoveries starts the workflows of recoveries; those that run or ran already are left alone.
	StartRecoveries(ctx context.Context, recoveries []models.Recovery) error
}

// RecoveryInput asks for a step of a recovery.
type RecoveryInput struct {
	RecoveryID string `json:"recovery_id"`
	// Limit is how many deliveries RecoverPage resends at most.
	Limit int `json:"limit,omitempty"`
}

func progressOf(recovery models.Recovery, err error) (contract.RecoveryProgress, error) {
	if errors.Is(err, models.ErrNotFound) {
		return contract.RecoveryProgress{}, temporal.NewNonRetryableApplicationError("there is no such recovery", ErrTypeRecoveryNotFound, nil)
	}
	if err != nil {
		return contract.RecoveryProgress{}, err
	}
	return contract.RecoveryProgress{
		Status: string(recovery.Status), Reason: recovery.Reason, Collected: recovery.Collected, Total: recovery.Total,
		Resent: recovery.Resent, Skipped: recovery.Skipped, Rate: recovery.Rate,
	}, nil
}

// CollectRecovery finds a part of what a recovery is about.
func (a *Activities) CollectRecovery(ctx context.Context, in RecoveryInput) (contract.RecoveryProgress, error) {
	defer heartbeat(ctx)()
	return progressOf(a.Store.CollectRecovery(ctx, in.RecoveryID, collectPage))
}

// RecoverPage starts a part of a recovery's deliveries. When its process dies, the next one goes on with the
// same part and starts nothing twice.
func (a *Activities) RecoverPage(ctx context.Context, in RecoveryInput) (contract.RecoveryProgress, error) {
	stopHeartbeat := heartbeat(ctx)
	defer stopHeartbeat()
	deliveries, recovery, err := a.Store.ClaimRecovery(ctx, in.RecoveryID, in.Limit)
	if err != nil || len(deliveries) == 0 {
		return progressOf(recovery, err)
	}
	inTurn, err := a.Store.InTurn(ctx, deliveries)
	if err != nil {
		return contract.RecoveryProgress{}, err
	}
	namespace := activity.GetInfo(ctx).Namespace
	if err := a.Starter.StartRecovered(ctx, namespace, in.RecoveryID, inTurn); err != nil {
		return contract.RecoveryProgress{}, err
	}
	return progressOf(a.Store.FinishRecoveryPage(ctx, in.RecoveryID, deliveries))
}

// RecordRecoveryInput asks for a recovery to be paused, resumed or cancelled in the database.
type RecordRecoveryInput struct {
	RecoveryID string                `json:"recovery_id"`
	Status     models.RecoveryStatus `json:"status"`
	Reason     string                `json:"reason,omitempty"`
}

// RecordRecovery writes a recovery's status; one that has ended stays as it is.
func (a *Activities) RecordRecovery(ctx context.Context, in RecordRecoveryInput) (contract.RecoveryProgress, error) {
	return progressOf(a.Store.SetRecoveryStatus(ctx, in.RecoveryID, in.Status, in.Reason))
}

// StartPendingRecoveries starts the workflows of recoveries whose process died before it could. There are few:
// a webhook has one at a time. Behind them it does the same for the deletions of owners, of which there are fewer.
func (a *Activities) StartPendingRecoveries(ctx context.Context, in StartInput) error {
	recoveries, err := a.Store.UnstartedRecoveries(ctx, in.MadeBy, startPage)
	if err != nil {
		return err
	}
	if err := a.Starter.StartRecoveries(ctx, recoveries); err != nil {
		return err
	}
	owners, err := a.Store.DeletedOwners(ctx, in.MadeBy, startPage)
	if err != nil {
		return err
	}
	return a.Starter.StartOwnerDeletions(ctx, owners)
}
