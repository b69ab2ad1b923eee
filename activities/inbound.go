package activities

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	case errors.Is(err, models.ErrUnusableType):
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
	eventType, err := source.EventType(inbound.Type)
	if err != nil {
		return models.Event{}, err
	}
	data, err := dataOf(inbound)
	if err != nil {
		return models.Event{}, err
	}
	return models.Event{Type: eventType, Data: data, OwnerID: inbound.OwnerID, Broadcast: source.Broadcast}, nil
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
