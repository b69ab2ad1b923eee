package models

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnusableType says that a provider's type makes no event type, with a message for the user.
var ErrUnusableType = errors.New("cannot be published")

// EventType is the type of the event that an event of the provider's type becomes: the source's prefix and that type,
// in the characters that event types have. orders/paid of Shopify becomes shopify.orders.paid.
func (source Source) EventType(providerType string) (string, error) {
	words := strings.FieldsFunc(providerType, func(r rune) bool { return r == '/' || r == '.' || r == ':' })
	if source.EventPrefix != "" {
		words = append([]string{source.EventPrefix}, words...)
	}
	eventType := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, strings.Join(words, "."))
	switch {
	case Operational(eventType):
		return "", fmt.Errorf("%w: events of type %s are Postrider's own; change the source's event_prefix", ErrUnusableType, eventType)
	case len(eventType) > MaxEventTypeLength:
		return "", fmt.Errorf("%w: its type, with the source's event_prefix, has %d characters; event types have %d at most",
			ErrUnusableType, len(eventType), MaxEventTypeLength)
	case CheckEventType(eventType) != nil:
		return "", fmt.Errorf("%w: its type %q makes no event type", ErrUnusableType, providerType)
	}
	return eventType, nil
}
