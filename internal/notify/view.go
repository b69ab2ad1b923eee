package notify

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Longest texts shown, in characters. Slack refuses a message with a field over
// 2,000 characters, and escaping may make five of one.
const (
	maxID          = 80
	maxEvent       = 128
	maxName        = 100
	maxDescription = 200
	maxURL         = 250
	maxError       = 300
	maxLink        = 500
)

// view is a notice ready to be shown: clean, short, and without what must stay
// private. What a channel's format needs beyond that (escaping) is done there.
type view struct {
	Owner   string
	Heading string // what has happened
	Subject string // to what
	// Intro is the heading as a sentence, for messages that greet.
	Intro string
	Facts []fact
	// Outlook is what Postrider does from now on, unless a step says it.
	Outlook     string
	Steps       []step
	WorkflowURL string
}

// fact is one labelled line of the message.
type fact struct{ Label, Value string }

// step is something that the owner can do: a sentence that ends in a colon, and
// the command.
type step struct{ Text, Command string }

func newView(n Notice) view {
	about := n.about()
	shown, host := shownURL(about.WebhookURL)
	v := n.view(clean(host, maxURL))
	v.Owner = clean(about.OwnerName, maxName)
	v.Facts = slices.DeleteFunc(append([]fact{
		{"Webhook", withNote(clean(about.WebhookID, maxID), clean(about.WebhookDescription, maxDescription))},
		{"URL", clean(shown, maxURL)},
	}, v.Facts...), func(f fact) bool { return f.Value == "" })
	return v
}

// Title is the subject of the email and the summary of the Slack message.
func (v view) Title() string { return v.Heading + ": " + v.Subject }

// Column is where the values begin when the facts stand in a plain text, below
// each other and right of their labels.
func (v view) Column() int {
	longest := 0
	for _, f := range v.Facts {
		longest = max(longest, len(f.Label))
	}
	return longest + len(":  ")
}

func (n Exhausted) view(host string) view {
	event, delivery := clean(n.Event, maxEvent), clean(n.DeliveryID, maxID)
	// What has to happen first depends on whether the webhook is still on.
	next := "Postrider will not try again by itself. Once the receiver works again, resend the event:"
	if n.WebhookDisabled {
		next = "The receiver said that it is gone, so the webhook was disabled and gets no further events. " +
			"Once it is active again, resend this one:"
	}
	return view{
		Heading: "Webhook delivery failed",
		Subject: event + " to " + host,
		Intro:   "Postrider has given up delivering an event to one of your webhooks.",
		Facts: []fact{
			{"Event", withNote(event, clean(n.EventID, maxID))},
			{"Delivery", delivery},
			{"Attempts", attempts(n.Attempts, n.FirstAttemptAt, n.LastAttemptAt)},
			{"Last error", n.lastError()},
		},
		Steps:       []step{{next, resendCommand(n.APIURL, delivery)}},
		WorkflowURL: link(n.WorkflowURL),
	}
}

func withNote(text, note string) string {
	if note == "" {
		return text
	}
	return strings.TrimSpace(text + " (" + note + ")")
}

// shownURL removes what may hold a secret, and returns the host too.
func shownURL(raw string) (shown, host string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(unreadable URL)", "(unreadable URL)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String(), u.Host
}

// attempts says how often and when it was tried.
func attempts(count int, first, last time.Time) string {
	if count <= 0 {
		return ""
	}
	number := strconv.Itoa(count)
	switch {
	case first.IsZero() || last.IsZero():
		return number
	case first.Equal(last):
		return number + ", at " + moment(last)
	}
	return number + ", from " + moment(first) + " to " + moment(last)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// lastError puts status code and text into one line, neither of them twice. The
// class is a machine's word, and only shown when there is no other.
func (a About) lastError() string {
	text := clean(a.LastError, maxError)
	switch {
	case a.LastStatusCode != nil && !strings.Contains(text, strconv.Itoa(*a.LastStatusCode)):
		status := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", *a.LastStatusCode, http.StatusText(*a.LastStatusCode)))
		return strings.TrimSuffix(status+": "+text, ": ")
	case text == "":
		return clean(a.LastErrorClass, maxID)
	}
	return text
}

// clean makes one line of at most limit characters: what is invisible, breaks a
// line or turns the reading direction becomes a space, and spaces are joined.
func clean(text string, limit int) string {
	printable := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	line := strings.Join(strings.Fields(printable), " ")
	if utf8.RuneCountInString(line) <= limit {
		return line
	}
	return string([]rune(line)[:limit-1]) + "…"
}
