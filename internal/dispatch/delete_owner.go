package dispatch

import (
	"context"

	"github.com/postrider/postrider/models"
)

// DeleteOwner ends an owner and returns when that is durable; the workflow that removes what it had starts in the
// background, or by a sweep. Deleting it again starts that workflow again, unless it runs. Its errors are those of
// store.Store.DeleteOwner.
func (d *Dispatcher) DeleteOwner(ctx context.Context, id string) (models.Owner, error) {
	owner, err := d.store.DeleteOwner(ctx, id)
	if err == nil {
		d.starter.Soon(func(ctx context.Context) error { return d.starter.StartOwnerDeletion(ctx, id) })
	}
	return owner, err
}
