package activities

import (
	"context"

	"github.com/postrider/postrider/models"
)

// ReleaseInput asks for a page of the deliveries that wait for a webhook to be told that a setting of it was changed.
type ReleaseInput struct {
	WebhookID string `json:"webhook_id"`
	// Retries says that the change is also about those that wait for a retry.
	Retries bool `json:"retries,omitempty"`
	// Status is that of the page's deliveries, After the ID behind which it begins.
	Status models.Status `json:"status,omitempty"`
	After  string        `json:"after,omitempty"`
}

// ReleaseResult says how far ReleaseWaiting came.
type ReleaseResult struct {
	Released int `json:"released"`
	// Last is the ID of the last delivery of the page; empty behind the last page.
	Last string `json:"last,omitempty"`
}

// ReleaseSignal is the argument of the signal that a delivery is told by.
type ReleaseSignal struct {
	// Receiver is which of the webhook's receivers is to be called from now on, counted through the changes of URL. One
	// that waits for a retry goes on when its last attempt was made to an earlier one.
	Receiver int `json:"receiver,omitempty"`
}

// ReleaseWaiting tells a page of deliveries.
func (a *Activities) ReleaseWaiting(ctx context.Context, in ReleaseInput) (ReleaseResult, error) {
	defer heartbeat(ctx)()
	healths, err := a.Store.WebhookHealths(ctx, []string{in.WebhookID})
	if err != nil {
		return ReleaseResult{}, err
	}
	ids, err := a.Store.WaitingDeliveries(ctx, in.WebhookID, in.Status, in.After, startPage)
	if err != nil {
		return ReleaseResult{}, err
	}
	if err := a.Starter.Release(ctx, ids, ReleaseSignal{Receiver: healths[in.WebhookID].Receiver}); err != nil {
		return ReleaseResult{}, err
	}
	result := ReleaseResult{Released: len(ids)}
	if len(ids) == startPage {
		result.Last = ids[startPage-1]
	}
	return result, nil
}
