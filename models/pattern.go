package models

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Bounds of event types and of the patterns that match them.
const (
	MaxEventTypeLength = 128
	MaxPatterns        = 100
	anyEvent           = "*"
)

// ErrBadEventType says that a text is neither an event type nor a pattern.
var ErrBadEventType = errors.New("malformed event type")

var eventTypeForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// CheckEventType returns ErrBadEventType, with a message for the user, unless the text is words of letters,
// digits, _ and - joined by dots.
func CheckEventType(text string) error {
	if len(text) > MaxEventTypeLength {
		return fmt.Errorf("%w: longer than %d characters", ErrBadEventType, MaxEventTypeLength)
	}
	if !eventTypeForm.MatchString(text) {
		return fmt.Errorf("%w: use words of letters, digits, _ and - joined by dots, such as order.created", ErrBadEventType)
	}
	return nil
}

// CheckPattern returns ErrBadEventType, with a message for the user, unless the text is an event type, a
// Prefix such as order.*, or *.
func CheckPattern(text string) error {
	if text == anyEvent {
		return nil
	}
	if CheckEventType(strings.TrimSuffix(text, ".*")) != nil {
		return fmt.Errorf("%w: use an event type such as order.created, a prefix such as order.*, or *", ErrBadEventType)
	}
	return nil
}

// PatternsMatching lists every pattern that matches an event type: itself, each of its prefixes, and * unless
// it is operational. So matching is a look-up by equality, which an index serves.
func PatternsMatching(eventType string) []string {
	patterns := []string{eventType}
	if !Operational(eventType) {
		patterns = append(patterns, anyEvent)
	}
	for i, c := range eventType {
		if c == '.' {
			patterns = append(patterns, eventType[:i]+".*")
		}
	}
	return patterns
}
