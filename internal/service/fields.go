package service

import (
	"fmt"
	"time"

	"github.com/postrider/postrider/models"
)

// Patch is a field of a change: left out, null, or a new value.
type Patch[T any] struct {
	// Set says that the field is there; Null that it is null.
	Set, Null bool
	Value     T
}

// to assigns the new value; null assigns the zero value.
func (p Patch[T]) to(target *T) {
	if p.Set {
		*target = p.Value
	}
}

// Duration is a length of time as a caller wrote it. What is wrong with it is said by the check of the field, which knows
// the bounds.
type Duration struct {
	// Set says that it was given.
	Set bool
	// Value is the length, unless Err says that Text is none.
	Value time.Duration
	Err   error
	Text  string
}

// faults collects every wrong field of a call, so that one answer names them all.
type faults struct{ fields FieldsError }

func (f *faults) add(location, message string) {
	f.fields = append(f.fields, Field{location, message})
}

// within adds what a check finds in a part of the call.
func (f *faults) within(place string, check func(*faults)) {
	var found faults
	check(&found)
	for _, field := range found.fields {
		f.add(place+field.Location, field.Message)
	}
}

func (f *faults) err() error {
	if len(f.fields) == 0 {
		return nil
	}
	return f.fields
}

// active refuses null, which is neither.
func (f *faults) active(active Patch[bool]) {
	if active.Null {
		f.add("active", "expected true or false")
	}
}

// duration returns a duration that must lie between two bounds.
func (f *faults) duration(location string, of Duration, least, most time.Duration) time.Duration {
	if of.Err != nil || of.Value < least || of.Value > most {
		f.add(location, fmt.Sprintf("expected a duration from %s to %s, such as 90s, 24h or 30d, or a number of seconds",
			models.FormatDuration(least), models.FormatDuration(most)))
	}
	return of.Value
}
