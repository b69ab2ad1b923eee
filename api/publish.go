package api

import (
	"context"
	"time"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// PublishedEvent is the answer to a publisher.
type PublishedEvent struct {
	ID         string `json:"id"`
	Event      string `json:"event"`
	Deliveries int    `json:"deliveries" doc:"How many webhooks matched."`
	Duplicate  bool   `json:"duplicate" doc:"True when this Idempotency-Key was used before: nothing new was published."`
}

// NewEvent is what a publisher says of an event.
type NewEvent struct {
	Event   string  `json:"event" doc:"The event's type: words joined by dots." example:"order.created"`
	Data    RawJSON `json:"data"`
	OwnerID string  `json:"owner_id,omitempty" doc:"For administrators: whose webhooks get it; the owner default when left out."`
	// A forgotten owner_id must not send what is one customer's to all.
	Broadcast  bool              `json:"broadcast,omitempty" doc:"For administrators: the webhooks of all owners get it."`
	WebhookIDs []string          `json:"webhook_ids,omitempty" minItems:"1" doc:"Only these webhooks of the owner get it, whatever event types they have; paused ones do not."`
	OccurredAt Time              `json:"occurred_at,omitzero" doc:"When it happened; when it was published when left out."`
	DeliverAt  Time              `json:"deliver_at,omitzero" doc:"When it is to be delivered, at most 30 days from now; at once when left out or past."`
	Delay      Duration          `json:"delay,omitzero" doc:"Instead of deliver_at: how long from now it is to be delivered, from 1s to 30d."`
	Metadata   map[string]string `json:"metadata,omitempty" doc:"Up to 20 short texts by name. Receivers get each as the header X-Webhook-Meta-<name>, with - for _ and dots."`
}

// EventFacts are what the publisher said of an event beside its data.
type EventFacts struct {
	OccurredAt time.Time         `json:"occurred_at" doc:"When it happened, as the publisher says; else when it was published."`
	DeliverAt  *time.Time        `json:"deliver_at" doc:"When it is to be delivered; null for at once."`
	ErasedAt   *time.Time        `json:"erased_at" doc:"When its data was erased; null while it is there."`
	WebhookIDs []string          `json:"webhook_ids,omitempty" doc:"The only webhooks that get it, when the publisher named them."`
	Metadata   map[string]string `json:"metadata" doc:"What receivers get as headers X-Webhook-Meta-<name>."`
}

func eventFacts(e models.Event) EventFacts {
	facts := EventFacts{OccurredAt: e.Occurred().UTC(), DeliverAt: inUTC(e.DeliverAt), ErasedAt: inUTC(e.ErasedAt), WebhookIDs: e.WebhookIDs, Metadata: e.Metadata}
	if facts.Metadata == nil {
		facts.Metadata = map[string]string{}
	}
	return facts
}

type publishInput struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Publishing again with the same key and body changes nothing."`
	TraceParent    string `header:"traceparent" doc:"The caller's place in a distributed trace (W3C Trace Context), which receivers get too; one that is not valid is ignored."`
	Body           NewEvent
}

func (s *server) publish(ctx context.Context, who service.Caller, in *publishInput) (*Output[PublishedEvent], error) {
	published, err := s.Service.Publish(ctx, who, in.Body.model(in.IdempotencyKey, in.TraceParent))
	return &Output[PublishedEvent]{PublishedEvent{
		ID: published.Event.ID, Event: published.Event.Type, Deliveries: published.Event.DeliveryCount,
		Duplicate: published.Duplicate,
	}}, err
}

// model is the event that is asked for.
func (e NewEvent) model(idempotencyKey, traceParent string) models.Event {
	event := models.Event{
		Type: e.Event, Data: e.Data, OwnerID: e.OwnerID, Broadcast: e.Broadcast, WebhookIDs: e.WebhookIDs, Metadata: e.Metadata,
		TraceParent: validTrace(traceParent),
	}
	if idempotencyKey != "" {
		event.IdempotencyKey = &idempotencyKey
	}
	if !e.OccurredAt.IsZero() {
		event.OccurredAt = &e.OccurredAt.Time
	}
	if !e.DeliverAt.IsZero() {
		event.DeliverAt = &e.DeliverAt.Time
	}
	if e.Delay.Set {
		event.Delay = &e.Delay.Value
		if e.Delay.Err != nil {
			event.Delay = new(time.Duration) // which the service refuses
		}
	}
	return event
}
