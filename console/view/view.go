// Package view is what the console's pages look like: templates and the types that they show. It knows no HTTP and no
// database.
package view

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Page is a page within the frame.
type Page struct {
	Title string
	// Section is the entry of the navigation that it belongs to, such as deliveries.
	Section string
	// Back leads to the list that it comes from; empty for none.
	Back, BackTitle string
	// Live names what changes the page when it changes: see Topics of package console. Empty for a page that stays.
	Live []string
	// Charts says that it has some, which a script draws.
	Charts bool
	Body   templ.Component
}

// Frame is what stands around every page.
type Frame struct {
	Base, Path string
	Admin      bool
	Role       string
	// As is the name of the owner as whom an administrator sees the page; empty for everyone else.
	As      string
	Version string
	// Receiver says that this process has a receiver for trying things out.
	Receiver bool
	// Portal says that it is the portal, which has a Brand.
	Portal bool
	Brand  Brand
	// Changes says that the viewer may make and change things, Resends that they may have deliveries sent again, and Payloads that
	// they see the data of events.
	Changes, Resends, Payloads bool
	// Position says how far the installation is, for the page's stream.
	Position string
}

// Problem is what the API says when it refuses a call.
type Problem struct {
	Title  string       `json:"title"`
	Code   string       `json:"code"`
	Detail string       `json:"detail"`
	Errors []FieldError `json:"errors"`
}

// FieldError is one wrong field.
type FieldError struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

// Field is the name of the field in its form.
func (e FieldError) Field() string {
	if e.Location == "header.Idempotency-Key" {
		return "_idempotency_key"
	}
	return strings.TrimPrefix(e.Location, "body.")
}

// Member is one member of an object that is shown.
type Member struct{ Name, Text string }

// Choice is one of several values.
type Choice struct{ Value, Title string }

var fileNames = map[string]string{}

// Files says where scripts and styles are, by their plain names. It is called once, before anything is rendered.
func Files(names map[string]string) { fileNames = names }

func file(name string) string { return fileNames[name] }

// entry is one of the navigation.
type entry struct {
	Section, Title, Path string
	AdminsOnly           bool
}

var navigation = []entry{
	{"overview", "Overview", "/", false},
	{"deliveries", "Deliveries", "/deliveries", false},
	{"webhooks", "Webhooks", "/webhooks", false},
	{"events", "Events", "/events", false},
	{"event-types", "Event types", "/event-types", false},
	{"inbound", "Inbound", "/inbound", false},
	{"recoveries", "Recoveries", "/recoveries", false},
	{"owners", "Owners", "/owners", true},
	{"keys", "Keys", "/keys", true},
	{"audit", "Audit", "/audit", false},
	{"system", "System", "/system", true},
}

// portalSections are the entries that the portal has.
var portalSections = []string{"overview", "deliveries", "webhooks", "events", "event-types", "recoveries"}

func (f Frame) entries() (shown []entry) {
	for _, of := range navigation {
		if (f.Admin || !of.AdminsOnly) && (!f.Portal || has(portalSections, of.Section)) {
			shown = append(shown, of)
		}
	}
	if f.Admin && f.Receiver {
		shown = append(shown, entry{"receiver", "Receiver", "/receiver", true})
	}
	return shown
}

// May says whether the session may change something.
func (f Frame) may() bool { return f.Changes }

// publishes says whether the session may publish events and erase their data: nobody does that in the portal.
func (f Frame) publishes() bool { return f.Changes && !f.Portal }

type frameKey struct{}

func withFrame(ctx context.Context, f Frame) context.Context {
	return context.WithValue(ctx, frameKey{}, f)
}

// frameOf is the frame that something is rendered in.
func frameOf(ctx context.Context) Frame {
	f, _ := ctx.Value(frameKey{}).(Frame)
	return f
}

// to is the path of a page, with values of its query that are not empty, in pairs.
func to(ctx context.Context, path string, query ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			values.Set(query[i], query[i+1])
		}
	}
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	return frameOf(ctx).Base + path
}

// exact is a time as the API writes it.
func exact(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// plain is a time for who has no script.
func plain(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// Took is a duration in milliseconds as people read it.
func Took(ms int64) string {
	switch {
	case ms < 1000:
		return strconv.FormatInt(ms, 10) + " ms"
	case ms < 60_000:
		return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) + " s"
	}
	return Span(time.Duration(ms) * time.Millisecond)
}

// Span is a duration in its two largest units.
func Span(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return join(days, "d", hours, "h")
	case hours > 0:
		return join(hours, "h", minutes, "m")
	case minutes > 0:
		return join(minutes, "m", seconds, "s")
	}
	return fmt.Sprintf("%d s", seconds)
}

func join(a int, unitA string, b int, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unitA)
	}
	return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
}

// Count is a number with thin spaces between its thousands.
func Count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}
