package service

import (
	"fmt"
	"unicode/utf8"

	"github.com/postrider/postrider/models"
)

// Bounds of what a webhook may ask for.
const (
	maxDescriptionLength = 500
	// minRateLimit is one request in 100 seconds.
	minRateLimit = 0.01
)

func (f *faults) events(patterns []string) {
	const location = "events"
	switch {
	case len(patterns) == 0:
		f.add(location, "expected at least one event type, such as order.created, order.* or *")
		return
	case len(patterns) > models.MaxPatterns:
		f.add(location, fmt.Sprintf("expected at most %d event types", models.MaxPatterns))
		return
	}
	seen := make(map[string]bool, len(patterns))
	for i, pattern := range patterns {
		at := fmt.Sprintf("%s[%d]", location, i)
		if models.CheckPattern(pattern) != nil {
			f.add(at, "expected an event type such as order.created, a prefix such as order.*, or *")
		}
		if seen[pattern] {
			f.add(at, "is listed twice")
		}
		seen[pattern] = true
	}
}

func (f *faults) description(text string) {
	if utf8.RuneCountInString(text) > maxDescriptionLength || !storable(text) {
		f.add("description", fmt.Sprintf("expected at most %d characters, and no NUL among them", maxDescriptionLength))
	} else if fault := unseenFault(text, true); fault != "" {
		f.add("description", fault)
	}
}

func (f *faults) rateLimit(perSecond *float64) {
	if perSecond != nil && (*perSecond < minRateLimit || *perSecond > models.MaxRateLimit) {
		f.add("rate_limit", fmt.Sprintf("expected a number from %g to %d, requests a second, or null", minRateLimit, models.MaxRateLimit))
	}
}

func (f *faults) schedule(waits []Duration) models.RetrySchedule {
	texts := make([]string, len(waits))
	for i, wait := range waits {
		texts[i] = wait.Text
		if wait.Err == nil {
			texts[i] = wait.Value.String()
		}
	}
	schedule, err := models.RetryScheduleOf(texts)
	if err != nil {
		f.add("retry_schedule", err.Error())
	}
	return schedule
}
