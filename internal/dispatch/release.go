package dispatch

import (
	"context"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// WebhookChanged wakes the deliveries that wait for a webhook, where the change may end their wait. A workflow does so,
// started in the background; a delivery that it does not reach looks by itself after a while.
func (d *Dispatcher) WebhookChanged(before, now models.Webhook) {
	releases, retries := now.Releases(before)
	if now.Ordered && (releases || now.Queueing != before.Queueing) {
		d.moveUp(now.ID)
	}
	if !releases {
		return
	}
	in := contract.NewReleaseInput(now.ID, retries)
	d.starter.Soon(func(ctx context.Context) error { return d.starter.StartRelease(ctx, in) })
}
