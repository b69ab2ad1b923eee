package app

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/postrider/postrider/console"
)

// Serving are the flags of what people reach.
type Serving struct {
	Listen               string   `env:"POSTRIDER_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the API; a worker serves only health and metrics there. Default: ${default}."`
	MetricsListen        string   `env:"POSTRIDER_METRICS_LISTEN" placeholder:"HOST:PORT" help:"Serve /metrics on this address only. Default: on --listen."`
	PublicURL            string   `name:"public-url" env:"POSTRIDER_PUBLIC_URL" placeholder:"URL" help:"Base URL of the API in links, and source of CloudEvents. Default: http://<listen>."`
	ValidateEvents       bool     `name:"validate-events" env:"POSTRIDER_VALIDATE_EVENTS" help:"Refuse events whose data do not fit the schema of their type."`
	EventTypesPage       bool     `name:"event-types-page" env:"POSTRIDER_EVENT_TYPES_PAGE" help:"Show the catalogue of event types to everyone, at /event-types."`
	PortalBrand          string   `name:"portal-brand" env:"POSTRIDER_PORTAL_BRAND" placeholder:"JSON" help:"Whose portal it is: {\"name\": …, \"logo_url\": …, \"colour\": \"#2350d8\"}. Default: Postrider's."`
	PortalFrameAncestors []string `name:"portal-frame-ancestors" env:"POSTRIDER_PORTAL_FRAME_ANCESTORS" placeholder:"ORIGIN,..." help:"Origins whose pages may show the portal in a frame, such as https://app.example.com. Default: none."`
	TemporalUIURL        string   `name:"temporal-ui-url" env:"POSTRIDER_TEMPORAL_UI_URL" placeholder:"URL" help:"Base URL of the Temporal Web UI in links.${temporal_ui_default}"`
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
	if _, err := console.ParseBrand(s.PortalBrand); err != nil {
		faults = append(faults, fmt.Errorf("--portal-brand ($POSTRIDER_PORTAL_BRAND): %w", err))
	}
	for _, origin := range s.PortalFrameAncestors {
		if !isOrigin(origin) {
			faults = append(faults, fmt.Errorf("--portal-frame-ancestors ($POSTRIDER_PORTAL_FRAME_ANCESTORS) must be origins such as https://app.example.com, not %q", origin))
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

// isOrigin says that a text is the origin of pages: scheme, host and perhaps port.
func isOrigin(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && isBaseURL(text) && parsed.Path == "" && parsed.User == nil && !strings.ContainsAny(text, ";, '\"*")
}

// brand is the portal's; it was checked.
func (s Serving) brand() console.Brand {
	brand, _ := console.ParseBrand(s.PortalBrand)
	return brand
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
