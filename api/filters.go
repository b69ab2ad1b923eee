package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// TriedEvent is an event that nobody publishes.
type TriedEvent struct {
	Event    string            `json:"event" minLength:"1" doc:"The event's type: words joined by dots." example:"order.created"`
	Data     RawJSON           `json:"data"`
	Metadata map[string]string `json:"metadata,omitempty" doc:"As events have it."`
}

// TriedWebhook is what owners may have said of a webhook that nobody has.
type TriedWebhook struct {
	ExternalID string            `json:"external_id,omitempty" doc:"As webhooks have it."`
	Metadata   map[string]string `json:"metadata,omitempty" doc:"As webhooks have it."`
}

type tryFilterInput struct {
	Body struct {
		Filter    string       `json:"filter,omitempty" doc:"A filter, as a webhook may have it." example:"data.amount > 100"`
		Transform string       `json:"transform,omitempty" doc:"A transformation, as a webhook may have it." example:"{\"total\": data.amount}"`
		Event     TriedEvent   `json:"event"`
		Webhook   TriedWebhook `json:"webhook,omitempty" doc:"What expressions see as webhook, beside an ID, an owner and a host."`
	}
}

// RuleError says why an expression could not be evaluated.
type RuleError struct {
	Expression string `json:"expression" enum:"filter,transform"`
	Line       int    `json:"line" doc:"Counts from 1; 0 where no single place is to blame."`
	Column     int    `json:"column" doc:"Counts from 1; 0 where no single place is to blame."`
	Message    string `json:"message"`
}

// TriedRules is what a filter and a transformation made of an event.
type TriedRules struct {
	Passes *bool       `json:"passes" doc:"What the filter gave; null without one, and when it failed: the event would be delivered."`
	Data   RawJSON     `json:"data" doc:"What would be sent instead of the event's data; null without a transformation, and when it failed."`
	Errors []RuleError `json:"errors" doc:"Why the filter or the transformation failed."`
}

func (s *server) registerFilters(api huma.API) {
	register(s, api, operation{
		ID: "try-filter", Method: http.MethodPost, Path: "/filters/try", Tag: "Webhooks",
		Summary: "Try a filter and a transformation on an event", Status: http.StatusOK, Large: true,
	}, s.tryFilter)
}

func (s *server) tryFilter(ctx context.Context, who service.Caller, in *tryFilterInput) (*Output[TriedRules], error) {
	tried, err := s.Service.TryRules(ctx, who, service.Trial{
		Filter: in.Body.Filter, Transform: in.Body.Transform,
		Event:   models.Event{Type: in.Body.Event.Event, Data: in.Body.Event.Data, Metadata: in.Body.Event.Metadata},
		Webhook: models.Webhook{ExternalID: &in.Body.Webhook.ExternalID, Metadata: in.Body.Webhook.Metadata},
	})
	object := TriedRules{Passes: tried.Passes, Data: RawJSON("null"), Errors: []RuleError{}}
	if tried.Data != nil {
		object.Data = compact(tried.Data)
	}
	for _, fault := range tried.Faults {
		object.Errors = append(object.Errors, RuleError{string(fault.Kind), fault.Line, fault.Column, fault.What})
	}
	return &Output[TriedRules]{object}, err
}
