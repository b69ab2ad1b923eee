package app

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Serving are the flags of what people reach.
type Serving struct {
	Listen         string `env:"POSTRIDER_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the API; a worker serves only health and metrics there. Default: ${default}."`
	MetricsListen  string `env:"POSTRIDER_METRICS_LISTEN" placeholder:"HOST:PORT" help:"Serve /metrics on this address only. Default: on --listen."`
	PublicURL      string `name:"public-url" env:"POSTRIDER_PUBLIC_URL" placeholder:"URL" help:"Base URL of the API in links, and source of CloudEvents. Default: http://<listen>."`
	ValidateEvents bool   `name:"validate-events" env:"POSTRIDER_VALIDATE_EVENTS" help:"Refuse events whose data do not fit the schema of their type."`
	EventTypesPage bool   `name:"event-types-page" env:"POSTRIDER_EVENT_TYPES_PAGE" help:"Show the catalogue of event types to everyone, at /event-types."`
	TemporalUIURL  string `name:"temporal-ui-url" env:"POSTRIDER_TEMPORAL_UI_URL" placeholder:"URL" help:"Base URL of the Temporal Web UI in links.${temporal_ui_default}"`
}

func (s Serving) faults() []error {
	var faults []error
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		faults = append(faults, fmt.Errorf("--listen ($POSTRIDER_LISTEN) must be host:port, not %q", s.Listen))
	}
	if s.MetricsListen != "" {
		if _, _, err := net.SplitHostPort(s.MetricsListen); err != nil {
			faults = append(faults, fmt.Errorf("--metrics-listen ($POSTRIDER_METRICS_LISTEN) must be host:port, not %q", s.MetricsListen))
		}
	}
	for flag, text := range map[string]string{"--public-url": s.PublicURL, "--temporal-ui-url": s.TemporalUIURL} {
		if text != "" && !isBaseURL(text) {
			faults = append(faults, fmt.Errorf("%s must be a URL such as https://postrider.example.com, not %q", flag, text))
		}
	}
	return faults
}

// isBaseURL says that a path can be written behind a URL.
func isBaseURL(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "http" || parsed.Scheme == "https") && !strings.ContainsAny(text, "?#")
}

func (s Serving) publicURL() string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return "http://" + s.Listen
}

// workflowURL returns a function that links to the Temporal Web UI, or to nothing when its address is not
// known.
func (s Serving) workflowURL(namespace string) func(workflowID, runID string) string {
	base := strings.TrimSuffix(s.TemporalUIURL, "/")
	return func(workflowID, runID string) string {
		if base == "" {
			return ""
		}
		page := base + "/namespaces/" + url.PathEscape(namespace) + "/workflows/" + url.PathEscape(workflowID)
		if runID == "" {
			return page
		}
		return page + "/" + url.PathEscape(runID)
	}
}
