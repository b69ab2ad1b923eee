package activities

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
)

// Types of errors that end the processing of an inbound event.
const (
	ErrTypeInboundNotFound = "InboundEventNotFound"
	ErrTypeInboundFailed   = "InboundFailed"
)

// errUnusable says that an inbound event cannot become an event.
var errUnusable = errors.New("cannot be published")

// ProcessInput asks for an inbound event to be processed.
type ProcessInput struct {
	InboundEventID string `json:"inbound_event_id"`
}

// ProcessResult is the event that was published.
type ProcessResult struct {
	EventID    string `json:"event_id"`
	Deliveries int    `json:"deliveries"`
}

// ProcessInbound publishes an inbound event as an event. Done again, it returns the same event.
func (a *Activities) ProcessInbound(ctx context.Context, in ProcessInput) (ProcessResult, error) {
	published, err := a.Store.ProcessInbound(ctx, in.InboundEventID, eventOf)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return ProcessResult{}, temporal.NewNonRetryableApplicationError(
			"there is no inbound event "+in.InboundEventID, ErrTypeInboundNotFound, nil)
	case errors.Is(err, errUnusable):
		if err := a.Store.FailInbound(ctx, in.InboundEventID, err.Error()); err != nil {
			return ProcessResult{}, err
		}
		return ProcessResult{}, temporal.NewNonRetryableApplicationError(err.Error(), ErrTypeInboundFailed, nil)
	case err != nil:
		return ProcessResult{}, err
	}
	return ProcessResult{EventID: published.Event.ID, Deliveries: published.Event.DeliveryCount}, nil
}

// eventOf makes the event that an inbound event stands for.
func eventOf(inbound models.InboundEvent, source models.Source) (models.Event, error) {
	eventType := EventType(source.EventPrefix, inbound.Type)
	if models.Operational(eventType) {
		return models.Event{}, fmt.Errorf("%w: events of type %s are Postrider's own; change the source's event_prefix", errUnusable, eventType)
	}
	if err := models.CheckEventType(eventType); err != nil {
		return models.Event{}, fmt.Errorf("%w: its type %q makes no event type", errUnusable, inbound.Type)
	}
	data, err := dataOf(inbound)
	if err != nil {
		return models.Event{}, err
	}
	return models.Event{Type: eventType, Data: data, OwnerID: inbound.OwnerID}, nil
}

// EventType joins a source's prefix and a provider's type, in the characters that event types have: orders/paid
// of Shopify becomes shopify.orders.paid.
func EventType(prefix, providerType string) string {
	words := strings.FieldsFunc(providerType, func(r rune) bool { return r == '/' || r == '.' || r == ':' })
	if prefix != "" {
		words = append([]string{prefix}, words...)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, strings.Join(words, "."))
}

// dataOf is the body as JSON where it is JSON or a form, and otherwise a text or base64.
func dataOf(inbound models.InboundEvent) ([]byte, error) {
	if data, ok := receiver.BodyJSON(inbound.Headers["Content-Type"], inbound.Body); ok {
		return data, nil
	}
	if utf8.Valid(inbound.Body) {
		return json.Marshal(map[string]string{"body": strings.TrimPrefix(string(inbound.Body), "\ufeff")})
	}
	return json.Marshal(map[string]string{"body_base64": base64.StdEncoding.EncodeToString(inbound.Body)})
}
