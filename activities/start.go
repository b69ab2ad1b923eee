package activities

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// startPage is how many deliveries one activity starts: a few seconds of work.
const startPage = 200

// StartInput asks for workflows to be started, for the pending deliveries of one event or, without one, for
// all that were made at or before a time.
type StartInput struct {
	EventID string    `json:"event_id,omitempty"`
	MadeBy  time.Time `json:"made_by,omitzero"`
	// After is the ID behind which to go on.
	After string `json:"after,omitempty"`
}

// StartResult says how far StartPending came.
type StartResult struct {
	Started int `json:"started"`
	// Last is the ID of the last delivery of the page; empty behind the last page.
	Last string `json:"last,omitempty"`
}

// StartPending starts the workflows of one page of pending deliveries, and behind the last page of all has the queues of
// ordered webhooks go on.
func (a *Activities) StartPending(ctx context.Context, in StartInput) (StartResult, error) {
	defer heartbeat(ctx)()
	deliveries, err := a.pending(ctx, in)
	if err != nil {
		return StartResult{}, err
	}
	result := StartResult{Started: len(deliveries)}
	if len(deliveries) == startPage {
		result.Last = deliveries[startPage-1].ID
	}
	if err := a.Starter.StartDeliveries(ctx, deliveries); err != nil {
		return StartResult{}, err
	}
	if err := a.Store.LeaseScheduled(ctx, deliveries); err != nil {
		return StartResult{}, err
	}
	if in.EventID == "" && result.Last == "" {
		return result, a.moveQueues(ctx, in.MadeBy)
	}
	return result, nil
}

// moveQueues has the queues of ordered webhooks go on whose process died between the end of one delivery and the start
// of the next.
func (a *Activities) moveQueues(ctx context.Context, madeBy time.Time) error {
	after := ""
	for {
		heads, err := a.Store.QueueHeads(ctx, madeBy, after, startPage)
		if err != nil {
			return err
		}
		if err := a.Starter.WakeAll(ctx, heads); err != nil || len(heads) < startPage {
			return err
		}
		after = heads[startPage-1].WebhookID
	}
}

// StartPendingInbound starts the workflows of one page of inbound events that are pending. When that takes long, the
// rest is left to the next sweep.
func (a *Activities) StartPendingInbound(ctx context.Context, in StartInput) (StartResult, error) {
	defer heartbeat(ctx)()
	began := a.Now()
	inbound, err := a.Store.PendingInbound(ctx, in.MadeBy, in.After, startPage)
	if err != nil {
		return StartResult{}, err
	}
	if err := a.Starter.StartInbound(ctx, inbound); err != nil {
		return StartResult{}, err
	}
	result := StartResult{Started: len(inbound)}
	if len(inbound) == startPage && a.Now().Sub(began) <= timing.InboundPage {
		result.Last = inbound[startPage-1].ID
	}
	return result, nil
}

func (a *Activities) pending(ctx context.Context, in StartInput) ([]models.Delivery, error) {
	if in.EventID != "" {
		return a.Store.PendingDeliveriesOf(ctx, in.EventID, in.After, startPage)
	}
	deliveries, err := a.Store.PendingDeliveries(ctx, in.MadeBy, in.After, startPage)
	if err != nil || len(deliveries) == startPage {
		return deliveries, err
	}
	// Behind those without an attempt come those whose first attempt was made without a workflow.
	unstarted, err := a.Store.UnstartedDeliveries(ctx, in.After, startPage-len(deliveries))
	return append(deliveries, unstarted...), err
}
