package api

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Bounds of what a webhook may ask for.
const (
	maxDescriptionLength = 500
)

// faults collects every wrong field of a request, so that one answer names them all.
type faults []FieldError

func (f *faults) add(location, message string) {
	*f = append(*f, FieldError{location, message})
}

func (f *faults) err() error {
	if len(*f) == 0 {
		return nil
	}
	return invalidFields(*f...)
}

const unknownOwner = "there is no owner with this ID"

// ownerOf returns whose thing is made: the owner that an administrator names, or who asks.
func (f *faults) ownerOf(who principal, named string) string {
	switch {
	case named == "" && who.admin():
		return models.DefaultOwnerID
	case named == "":
		return who.ownerID
	case !who.admin() && named != who.ownerID, typeid.Check(typeid.KindOwner, named) != nil:
		f.add("body.owner_id", unknownOwner)
	}
	return named
}

func (f *faults) events(patterns []string) {
	const location = "body.events"
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

// stored is how a name or a description is kept: without blanks at its ends, which nobody sees, and with each character in
// one form (NFC). Both tell equal names apart.
func stored(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }

// Joiners shape what is written with other letters than these, and emoji; between ASCII they only hide.
const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// unseen returns a sentence about the first character of a text that nobody sees, such as one of no width or one that
// turns the direction; empty when there is none. Lines may be more than one where that is said.
func unseen(text string, lines bool) string {
	before := rune(0)
	for at, r := range text {
		switch {
		case lines && (r == '\n' || r == '\r' || r == '\t'):
		case (r == joiner || r == nonJoiner) && before > unicode.MaxASCII && at+utf8.RuneLen(r) < len(text):
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point):
			return fmt.Sprintf("has the character U+%04X, which nobody sees: leave it out", r)
		}
		before = r
	}
	return ""
}

func (f *faults) description(text string) {
	if utf8.RuneCountInString(text) > maxDescriptionLength || !storable(text) {
		f.add("body.description", fmt.Sprintf("expected at most %d characters, and no NUL among them", maxDescriptionLength))
	} else if fault := unseen(text, true); fault != "" {
		f.add("body.description", fault)
	}
}

// minRateLimit is one request in 100 seconds.
const minRateLimit = 0.01

func (f *faults) rateLimit(perSecond *float64) {
	if perSecond != nil && (*perSecond < minRateLimit || *perSecond > models.MaxRateLimit) {
		f.add("body.rate_limit", fmt.Sprintf("expected a number from %g to %d, requests a second, or null", minRateLimit, models.MaxRateLimit))
	}
}

func (f *faults) schedule(waits []Duration) models.RetrySchedule {
	texts := make([]string, len(waits))
	for i, wait := range waits {
		texts[i] = wait.text
		if wait.err == nil {
			texts[i] = wait.value.String()
		}
	}
	schedule, err := models.RetryScheduleOf(texts)
	if err != nil {
		f.add("body.retry_schedule", err.Error())
	}
	return schedule
}
