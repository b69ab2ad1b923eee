package moving

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// kindOf says in JSON's words what a field must be.
func kindOf(err *json.UnmarshalTypeError) string {
	if err.Type == reflect.TypeFor[seconds]() {
		return "a number of seconds or a duration such as 10s"
	}
	switch err.Type.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return "a number"
	}
}

// texts is a list of texts that may also be a single one.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = nil
		if one != "" {
			*t = texts{one}
		}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// seconds is a number of seconds, or a duration such as 10s or 1m.
type seconds float64

// UnmarshalJSON reads either.
func (s *seconds) UnmarshalJSON(text []byte) error {
	var number float64
	if json.Unmarshal(text, &number) == nil {
		*s = seconds(number)
		return nil
	}
	var written string
	err := json.Unmarshal(text, &written)
	if err == nil && written == "" {
		*s = 0
		return nil
	}
	duration, parseErr := time.ParseDuration(written)
	if err != nil || parseErr != nil {
		return &json.UnmarshalTypeError{Value: "something else", Type: reflect.TypeFor[seconds]()}
	}
	*s = seconds(duration.Seconds())
	return nil
}

// Bounds of what Postrider takes; what lies beyond is not carried over, with a note.
const (
	minRate, maxRate       = 0.01, 1000.0
	minTimeout, maxTimeout = 1.0, 60.0
)

// setRate sets a limit of requests in a number of seconds.
func (e *Endpoint) setRate(requests, per float64) {
	if requests <= 0 {
		return
	}
	if per <= 0 {
		per = 1
	}
	rate := requests / per
	if rate < minRate || rate > maxRate {
		e.note("the rate limit of %g requests a second is not carried over: Postrider limits from %g to %g", rate, minRate, maxRate)
		return
	}
	e.Webhook["rate_limit"] = math.Round(rate*1e4) / 1e4
}

// setTimeout sets how long a request may take.
func (e *Endpoint) setTimeout(of seconds) {
	switch {
	case of == 0:
	case of < minTimeout || of > maxTimeout:
		e.note("the timeout of %gs is not carried over: Postrider waits from %gs to %gs", float64(of), minTimeout, maxTimeout)
	default:
		e.Webhook["timeout"] = strconv.FormatFloat(float64(of), 'f', -1, 64) + "s"
	}
}

// setHeader adds a header that is sent with every request.
func (e *Endpoint) setHeader(name, value string) {
	headers, _ := e.Webhook["headers"].(map[string]any)
	if headers == nil {
		headers = map[string]any{}
		e.Webhook["headers"] = headers
	}
	headers[name] = value
}

// setHeaders adds headers.
func (e *Endpoint) setHeaders(headers map[string]string) {
	for name, value := range headers {
		e.setHeader(name, value)
	}
}

// setMetadata sets short texts by name.
func (e *Endpoint) setMetadata(metadata map[string]string) {
	if len(metadata) > 0 {
		e.Webhook["metadata"] = anyMap(metadata)
	}
}

func (e *Endpoint) note(form string, args ...any) {
	e.Notes = append(e.Notes, fmt.Sprintf(form, args...))
}

// hold has the webhook made paused.
func (e *Endpoint) hold(form string, args ...any) {
	if e.Hold != "" {
		e.Hold += "; "
	}
	e.Hold += fmt.Sprintf(form, args...)
}

// fault refuses the endpoint, unless it is refused already.
func (e *Endpoint) fault(form string, args ...any) {
	if e.Fault == "" {
		e.Fault = fmt.Sprintf(form, args...)
	}
}

func anyMap(of map[string]string) map[string]any {
	all := make(map[string]any, len(of))
	for name, value := range of {
		all[name] = value
	}
	return all
}

// orAll are event types; all of them when none is named.
func orAll(types []string) []string {
	if len(types) == 0 {
		return []string{"*"}
	}
	return types
}

// first is the first text that is not empty.
func first(of ...string) string {
	for _, text := range of {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}
