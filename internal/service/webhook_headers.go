package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/postrider/postrider/models"
)

// Bounds of the headers of a webhook. maxHeadersSize is of all of them, names and values, in bytes.
const (
	maxHeaders      = 20
	maxHeaderLength = 4096
	maxHeadersSize  = 8 << 10
)

// masked shows which headers there are. Their values are often credentials.
func masked(headers models.Headers) map[string]string {
	names := make(map[string]string, len(headers))
	for name := range headers {
		names[name] = Masked
	}
	return names
}

// showHeaders shows the values of the webhooks' headers to who may change them.
func (s *Service) showHeaders(who Caller, webhooks []Webhook) error {
	if err := who.May(models.RoleFull); err != nil {
		return err
	}
	for i, webhook := range webhooks {
		headers, err := s.store.OpenHeaders(webhook.Webhook)
		if err != nil {
			return err
		}
		webhooks[i].ShownHeaders = maps.Clone(headers)
		if headers == nil {
			webhooks[i].ShownHeaders = map[string]string{}
		}
	}
	return nil
}

// patchHeaders merges a patch into a webhook's headers (RFC 7396), whose names are the same in upper and lower case.
func (s *Service) patchHeaders(patch Patch[map[string]*string], webhook *models.Webhook, wrong *faults) error {
	if !patch.Set {
		return nil
	}
	headers := models.Headers{}
	if !patch.Null {
		before, err := s.store.OpenHeaders(*webhook)
		if err != nil {
			return err
		}
		maps.Copy(headers, before)
		for name := range patch.Value {
			maps.DeleteFunc(headers, func(other, _ string) bool { return strings.EqualFold(name, other) })
		}
		for name, value := range patch.Value {
			if value != nil {
				headers[name] = *value
			}
		}
	}
	wrong.headers(headers)
	webhook.SetHeaders(headers)
	return nil
}

// headers refuses names and values that HTTP does not allow, and headers that are Postrider's or the
// connection's.
func (f *faults) headers(headers map[string]string) {
	if len(headers) > maxHeaders {
		f.add("headers", fmt.Sprintf("expected at most %d headers", maxHeaders))
		return
	}
	seen, size := make(map[string]bool, len(headers)), 0
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		location := "headers." + name
		lower := strings.ToLower(name)
		size += len(name) + len(value)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			f.add("headers", "expected header names of letters, digits and -")
		case strings.Contains(name, "_"):
			// WSGI, Rack and CGI make one variable of X_Webhook_Signature and X-Webhook-Signature.
			f.add(location, "expected a name without _: many servers take it for -, so that X_Webhook_Signature would pass for X-Webhook-Signature")
		case reserved(strings.Map(asCGI, lower)) != "":
			f.add(location, reserved(strings.Map(asCGI, lower)))
		case seen[lower]:
			f.add(location, "is listed twice: upper and lower case are the same")
		case len(value) > maxHeaderLength || !httpguts.ValidHeaderFieldValue(value):
			f.add(location, fmt.Sprintf("expected at most %d bytes without control characters", maxHeaderLength))
		case strings.Trim(value, " \t") != value:
			// HTTP has no blanks at the ends of a value: they would not be sent.
			f.add(location, endFault(value))
		case strings.Contains(value, Masked):
			f.add(location, Masked+" stands for a value that is not shown: give the value, or leave the header out to keep it as it is")
		}
		seen[lower] = true
	}
	if size > maxHeadersSize {
		f.add("headers", fmt.Sprintf("expected at most %d bytes, names and values of all headers together; these have %d", maxHeadersSize, size))
	}
}

// asCGI maps what some servers do not tell apart in a header's name.
func asCGI(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
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
