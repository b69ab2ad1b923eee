package api

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/postrider/postrider/models"
)

// Bounds of what a webhook may ask for.
const (
	maxURLLength         = 2048
	maxDescriptionLength = 500
	maxHeaders           = 20
	maxHeaderLength      = 4096
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
	case !who.admin() && named != who.ownerID, models.CheckID(models.KindOwner, named) != nil:
		f.add("body.owner_id", unknownOwner)
	}
	return named
}

// url checks a webhook's URL and sets its host.
func (f *faults) url(webhook *models.Webhook) {
	const location = "body.url"
	if len(webhook.URL) > maxURLLength {
		f.add(location, fmt.Sprintf("expected at most %d bytes", maxURLLength))
		return
	}
	parsed, err := url.Parse(webhook.URL)
	switch {
	case err != nil:
		f.add(location, "expected an absolute URL such as https://example.com/webhooks")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		f.add(location, "expected a URL that begins with https:// or http://")
	case parsed.Hostname() == "":
		f.add(location, "expected a URL with a host, such as https://example.com/webhooks")
	case parsed.User != nil:
		f.add(location, "expected a URL without user name and password; send credentials in headers")
	case parsed.Fragment != "":
		f.add(location, "expected a URL without #fragment: it is never sent")
	default:
		webhook.Host = parsed.Host
	}
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

func (f *faults) description(text string) {
	if utf8.RuneCountInString(text) > maxDescriptionLength || !storable(text) {
		f.add("body.description", fmt.Sprintf("expected at most %d characters, and no NUL among them", maxDescriptionLength))
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

// headers refuses names and values that HTTP does not allow, and headers that are Postrider's or the
// connection's.
func (f *faults) headers(headers map[string]string) {
	if len(headers) > maxHeaders {
		f.add("body.headers", fmt.Sprintf("expected at most %d headers", maxHeaders))
		return
	}
	seen := make(map[string]bool, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		location := "body.headers." + name
		lower := strings.ToLower(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			f.add("body.headers", "expected header names of letters, digits and -")
		case reserved(lower) != "":
			f.add(location, reserved(lower))
		case seen[lower]:
			f.add(location, "is listed twice: upper and lower case are the same")
		case len(value) > maxHeaderLength || !httpguts.ValidHeaderFieldValue(value):
			f.add(location, fmt.Sprintf("expected at most %d bytes without control characters", maxHeaderLength))
		}
		seen[lower] = true
	}
}

// reserved says why a header, in lower case, cannot be a webhook's own; empty when it can.
func reserved(name string) string {
	switch name {
	case "host", "content-length", "content-type", "user-agent", "accept-encoding":
		return "this header is set by Postrider"
	case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect":
		return "this header is of the connection, not of the request: HTTP sets it where it is needed"
	case "content-encoding":
		return "the body is sent as it is, without an encoding"
	}
	switch {
	case strings.HasPrefix(name, "x-webhook-"), strings.HasPrefix(name, "webhook-"):
		return "names that begin with X-Webhook- or Webhook- are kept for Postrider's own headers"
	case strings.HasPrefix(name, "proxy-"):
		return "names that begin with Proxy- are for proxies on the way, which take them off"
	}
	return ""
}
