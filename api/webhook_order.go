package api

import (
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// WebhookOrder says whether a webhook gets its deliveries in order.
type WebhookOrder struct {
	Ordered   bool             `json:"ordered" doc:"True: deliveries are made one after the other, in the order in which they were published."`
	OnFailure models.OnFailure `json:"on_failure" enum:"wait,skip" doc:"While ordered: what is behind a delivery that was given up. wait: waits until it is resent and arrives, or is cancelled; skip: goes on."`
}

func orderObject(q models.Queueing) WebhookOrder {
	return WebhookOrder{Ordered: q.Ordered, OnFailure: q.OnFailure}
}

// NewWebhookOrder is what can be said of it when a webhook is made.
type NewWebhookOrder struct {
	Ordered   bool             `json:"ordered,omitempty" doc:"True: deliveries are made one after the other, in the order in which they were published."`
	OnFailure models.OnFailure `json:"on_failure,omitempty" enum:"wait,skip" doc:"While ordered: whether what is behind a delivery that was given up waits for it (wait, when left out) or goes on (skip)."`
}

func (o NewWebhookOrder) order() service.NewOrder {
	return service.NewOrder{Ordered: o.Ordered, OnFailure: o.OnFailure}
}

// WebhookOrderPatch changes it.
type WebhookOrderPatch struct {
	Ordered   Patch[bool]             `json:"ordered,omitempty" doc:"True has what is under way queue up, in the order in which it was published; false lets all of it go at once."`
	OnFailure Patch[models.OnFailure] `json:"on_failure,omitempty" enum:"wait,skip" doc:"wait or skip."`
}

func (o WebhookOrderPatch) order() service.OrderPatch {
	return service.OrderPatch{Ordered: o.Ordered.Patch, OnFailure: o.OnFailure.Patch}
}
