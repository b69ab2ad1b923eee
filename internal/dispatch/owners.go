package dispatch

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// DeleteOwner ends an owner and returns when that is durable; the workflow that removes what it had starts behind it,
// or by a sweep. Deleting it again starts it again, where it does not run. Its errors are those of
// store.Store.DeleteOwner.
func (d *Dispatcher) DeleteOwner(ctx context.Context, id string) (models.Owner, error) {
	owner, err := d.store.DeleteOwner(ctx, id)
	if err == nil {
		d.starter.add(func(ctx context.Context) error { return d.startOwnerDeletion(ctx, id) })
	}
	return owner, err
}

func (d *Dispatcher) startOwnerDeletion(ctx context.Context, ownerID string) error {
	_, err := d.temporal.ExecuteWorkflow(ctx, contract.OwnerDeletionOptions(ownerID), contract.TypeOwnerDeletion,
		contract.OwnerDeletion{OwnerID: ownerID})
	return unavailable(err)
}

// StartOwnerDeletions starts the workflows that remove owners; activities call it.
func (d *Dispatcher) StartOwnerDeletions(ctx context.Context, ownerIDs []string) error {
	return startAll(ctx, ownerIDs, d.startOwnerDeletion)
}

// CancelAll cancels deliveries, but for those that have ended; activities call it.
func (d *Dispatcher) CancelAll(ctx context.Context, deliveries []models.Delivery) error {
	return startAll(ctx, deliveries, func(ctx context.Context, delivery models.Delivery) error {
		if err := d.Cancel(ctx, delivery); !errors.Is(err, models.ErrFinished) {
			return err
		}
		return nil
	})
}

// CancelRecoveries cancels recoveries, but for those that have ended; activities call it.
func (d *Dispatcher) CancelRecoveries(ctx context.Context, recoveries []models.Recovery) error {
	return startAll(ctx, recoveries, func(ctx context.Context, recovery models.Recovery) error {
		if err := d.CancelRecovery(ctx, recovery); !errors.Is(err, ErrRecoveryFinished) {
			return err
		}
		return nil
	})
}
