package activities

import (
	"context"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// ReleaseResult says how far ReleaseWaiting came.
type ReleaseResult struct {
	Released int `json:"released"`
	// Last is the ID of the last delivery of the page; empty behind the last page.
	Last string `json:"last,omitempty"`
}

// ReleaseWaiting tells a page of deliveries.
func (a *Activities) ReleaseWaiting(ctx context.Context, in contract.ReleasePage) (ReleaseResult, error) {
	defer heartbeat(ctx)()
	healths, err := a.Store.WebhookHealths(ctx, []string{in.WebhookID})
	if err != nil {
		return ReleaseResult{}, err
	}
	ids, err := a.Store.WaitingDeliveries(ctx, in.WebhookID, models.Status(in.Status), in.After, startPage)
	if err != nil {
		return ReleaseResult{}, err
	}
	if err := a.Starter.Release(ctx, ids, contract.ReleaseSignal{Receiver: healths[in.WebhookID].Receiver}); err != nil {
		return ReleaseResult{}, err
	}
	result := ReleaseResult{Released: len(ids)}
	if len(ids) == startPage {
		result.Last = ids[startPage-1]
	}
	return result, nil
}
