package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// OwnerStore is what the deletion of owners needs of the database.
type OwnerStore interface {
	DeletedOwners(ctx context.Context, by time.Time, limit int) ([]string, error)
	OwnerDeliveries(ctx context.Context, ownerID, after string, limit int) ([]models.Delivery, error)
	OwnerRecoveries(ctx context.Context, ownerID, after string, limit int) ([]models.Recovery, error)
	PurgeOwner(ctx context.Context, ownerID string, limit int) (models.OwnerPurge, error)
}

// Canceller cancels deliveries and recoveries; those that have ended are left alone.
type Canceller interface {
	CancelDeliveries(ctx context.Context, deliveries []models.Delivery) error
	CancelRecoveries(ctx context.Context, recoveries []models.Recovery) error
}

// StopOwner cancels what waits of a deleted owner, page after page, and returns how far it came.
func (a *Activities) StopOwner(ctx context.Context, deletion contract.OwnerDeletion) (contract.OwnerDeletion, error) {
	return a.goOn(ctx, deletion, func(d contract.OwnerDeletion) bool { return d.Stopped }, a.stopPage)
}

// PurgeOwner deletes what a deleted owner had, batch after batch, and returns how far it came.
func (a *Activities) PurgeOwner(ctx context.Context, deletion contract.OwnerDeletion) (contract.OwnerDeletion, error) {
	return a.goOn(ctx, deletion, func(d contract.OwnerDeletion) bool { return d.Done }, a.purgeOwned)
}

// goOn takes step after step for a while, and rests after each for as long as it took: it leaves at least half of the
// database to deliveries. A try that was cut off goes on from its last heartbeat.
func (a *Activities) goOn(ctx context.Context, deletion contract.OwnerDeletion, done func(contract.OwnerDeletion) bool,
	step func(context.Context, contract.OwnerDeletion) (contract.OwnerDeletion, error),
) (contract.OwnerDeletion, error) {
	if activity.HasHeartbeatDetails(ctx) {
		var before contract.OwnerDeletion
		if err := activity.GetHeartbeatDetails(ctx, &before); err == nil {
			deletion = before
		}
	}
	for until := a.Now().Add(timing.Purge); !done(deletion) && a.Now().Before(until); {
		began := a.Now()
		var err error
		if deletion, err = step(ctx, deletion); err != nil {
			return contract.OwnerDeletion{}, err
		}
		activity.RecordHeartbeat(ctx, deletion)
		select {
		case <-ctx.Done():
			return contract.OwnerDeletion{}, ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return deletion, nil // another worker goes on
		case <-time.After(a.Now().Sub(began)):
		}
	}
	return deletion, nil
}

// stopPage cancels a page of deliveries or, behind the last of them, all recoveries.
func (a *Activities) stopPage(ctx context.Context, deletion contract.OwnerDeletion) (contract.OwnerDeletion, error) {
	deliveries, err := a.Store.OwnerDeliveries(ctx, deletion.OwnerID, deletion.After, startPage)
	if err != nil {
		return deletion, err
	}
	if len(deliveries) > 0 {
		deletion.After = deliveries[len(deliveries)-1].ID
		deletion.Cancelled += int64(len(deliveries))
		return deletion, a.Canceller.CancelDeliveries(ctx, deliveries)
	}
	for after := ""; ; {
		recoveries, err := a.Store.OwnerRecoveries(ctx, deletion.OwnerID, after, startPage)
		if err != nil {
			return deletion, err
		}
		if err := a.Canceller.CancelRecoveries(ctx, recoveries); err != nil {
			return deletion, err
		}
		deletion.Cancelled += int64(len(recoveries))
		if len(recoveries) < startPage {
			deletion.Stopped = true
			return deletion, nil
		}
		after = recoveries[startPage-1].ID
	}
}

func (a *Activities) purgeOwned(ctx context.Context, deletion contract.OwnerDeletion) (contract.OwnerDeletion, error) {
	purge, err := a.Store.PurgeOwner(ctx, deletion.OwnerID, purgeBatch)
	if err != nil {
		return deletion, err
	}
	for table, rows := range purge.Deleted {
		deletion.Deleted = counted(deletion.Deleted, table, rows)
	}
	deletion.Done = purge.Done
	return deletion, nil
}
