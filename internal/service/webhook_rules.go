package service

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// rule checks an expression, unless it is empty.
func (f *faults) rule(engine *rules.Engine, kind rules.Kind, source string) {
	if source == "" {
		return
	}
	if err := engine.Check(kind, source); err != nil {
		f.add(string(kind), err.Error())
	}
}

// patchRules changes a webhook's filter and transformation.
func (s *Service) patchRules(patch WebhookPatch, webhook *models.Webhook, wrong *faults) {
	patch.Filter.to(&webhook.Filter)
	patch.Transform.to(&webhook.Transform)
	if patch.Filter.Set {
		wrong.rule(s.rules, rules.Filter, webhook.Filter)
	}
	if patch.Transform.Set {
		wrong.rule(s.rules, rules.Transform, webhook.Transform)
	}
}

// Trial is a filter, a transformation, or both, to be tried on an event.
type Trial struct {
	Filter, Transform string
	// Event has a type and data, and both have whatever else of them expressions see.
	Event   models.Event
	Webhook models.Webhook
}

// Tried is what they made of the event.
type Tried struct {
	// Passes says what the filter gave; nil without one, and when it failed.
	Passes *bool
	// Data is the JSON that the transformation gave; nil without one, and when it failed.
	Data []byte
	// Faults say what failed, and why.
	Faults []*rules.Fault
}

// TryRules evaluates a filter and a transformation as if a webhook had them. It stores nothing.
func (s *Service) TryRules(ctx context.Context, who Caller, trial Trial) (Tried, error) {
	var wrong faults
	if trial.Filter == "" && trial.Transform == "" {
		wrong.add("filter", "expected a filter, a transform, or both")
	}
	wrong.rule(s.rules, rules.Filter, trial.Filter)
	wrong.rule(s.rules, rules.Transform, trial.Transform)
	wrong.tried(trial.Event)
	wrong.within("event.", func(wrong *faults) { wrong.metadata(trial.Event.Metadata) })
	wrong.within("webhook.", func(wrong *faults) { wrong.metadata(trial.Webhook.Metadata) })
	if err := wrong.err(); err != nil {
		return Tried{}, err
	}
	trial.Event.OwnerID = who.OwnerID
	if who.Admin() {
		trial.Event.OwnerID = models.DefaultOwnerID
	}
	trial.Event.CreatedAt = s.now()
	trial.Event.ID = typeid.New(typeid.KindEvent, trial.Event.CreatedAt)
	webhook := trial.Webhook
	webhook.ID, webhook.OwnerID, webhook.Host = typeid.New(typeid.KindWebhook, trial.Event.CreatedAt), trial.Event.OwnerID, "example.com"
	webhook.Filter, webhook.Transform = trial.Filter, trial.Transform
	return s.tryOn(ctx, trial.Event, webhook)
}

// tried checks an event that nobody publishes.
func (f *faults) tried(event models.Event) {
	if models.CheckEventType(event.Type) != nil {
		f.add("event.event", "expected words of letters, digits, _ and - joined by dots, such as order.created, at most 128 characters")
	}
	if len(event.Data) == 0 || !utf8.Valid(event.Data) {
		f.add("event.data", "expected JSON in UTF-8")
	}
}

func (s *Service) tryOn(ctx context.Context, event models.Event, webhook models.Webhook) (tried Tried, err error) {
	var fault *rules.Fault
	if webhook.Filter != "" {
		passes, err := s.rules.Passes(ctx, event, webhook)
		switch {
		case errors.As(err, &fault):
			tried.Faults = append(tried.Faults, fault)
		case err != nil:
			return Tried{}, err
		default:
			tried.Passes = &passes
		}
	}
	if webhook.Transform != "" {
		tried.Data, err = s.rules.Transform(ctx, event, webhook)
		if errors.As(err, &fault) {
			tried.Faults, err = append(tried.Faults, fault), nil
		}
	}
	return tried, err
}
