package api

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// timeHint and durationHint say what is expected.
const (
	timeHint     = "expected a time in RFC 3339, such as 2026-11-28T09:30:00Z; in a URL the + of an offset is %2B"
	durationHint = `expected a duration such as "90s", "24h" or "30d", or a number of seconds`
)

// Time is a point in time that a request names.
type Time struct{ time.Time }

// Schema is that of a time.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// rfc3339 is the exact form; time.Time accepts more.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):\d\d)$`)

// UnmarshalText reads a time in RFC 3339.
func (t *Time) UnmarshalText(text []byte) error {
	if !rfc3339.Match(text) || t.Time.UnmarshalText(text) != nil {
		return errors.New(timeHint)
	}
	if t.IsZero() { // it would count as not given
		t.Time = t.Add(time.Microsecond)
	}
	return nil
}

// UnmarshalJSON reads a time in RFC 3339.
func (t *Time) UnmarshalJSON(value []byte) error {
	var text string
	if json.Unmarshal(value, &text) == nil && text == "" {
		return nil // null, for a member that may be left out
	}
	if t.UnmarshalText([]byte(text)) != nil {
		return &json.UnmarshalTypeError{Value: "time", Type: reflect.TypeFor[Time]()} // readJSON says where
	}
	return nil
}

// offsetAfterPlus is the end of a time whose + was not encoded: it would be read as a space.
var offsetAfterPlus = regexp.MustCompile(`\+(\d\d(?::|%3[Aa])\d\d)$`)

// timeParameters are the parameters that are times.
var timeParameters = []string{"since", "until", "from", "to"}

// encodePlus encodes the + in the times of a query.
func encodePlus(query string) string {
	if !strings.Contains(query, "+") {
		return query
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		if name, value, _ := strings.Cut(part, "="); slices.Contains(timeParameters, name) {
			parts[i] = name + "=" + offsetAfterPlus.ReplaceAllString(value, "%2B$1")
		}
	}
	return strings.Join(parts, "&")
}

// Duration is a length of time that a request names, as a text or as a number of seconds.
type Duration struct{ service.Duration }

// Schema is a text or a number.
func (Duration) Schema(huma.Registry) *huma.Schema {
	least := 1
	return &huma.Schema{
		Description: `A duration such as "90s", "24h" or "30d", or a number of seconds.`,
		OneOf:       []*huma.Schema{{Type: huma.TypeString, MinLength: &least}, {Type: huma.TypeNumber}},
	}
}

// UnmarshalJSON reads a duration. The service reports what is wrong with it, because it knows the bounds.
func (d *Duration) UnmarshalJSON(value []byte) error {
	switch {
	case string(value) == "null":
		return nil
	case value[0] != '"':
		d.Text = string(value)
		d.Value, d.Err = models.ParseSeconds(d.Text)
	default:
		if err := json.Unmarshal(value, &d.Text); err != nil {
			return err
		}
		d.Value, d.Err = models.ParseDuration(d.Text)
	}
	d.Set = true
	return nil
}

// durations are what a list of them says; nil stays nil.
func durations(list []Duration) []service.Duration {
	if list == nil {
		return nil
	}
	of := make([]service.Duration, len(list))
	for i, duration := range list {
		of[i] = duration.Duration
	}
	return of
}
