package notify

import (
	"fmt"
	"net/http"
	"net/url"
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
	Owner       string
	Webhook     string
	Description string
	Disabled    bool
	URL         string
	Host        string
	Event       string
	EventID     string
	Delivery    string
	Attempts    string
	LastError   string
	Resend      string
	WorkflowURL string
}

func newView(n Notice) view {
	shown, host := shownURL(n.WebhookURL)
	return view{
		Owner:       clean(n.OwnerName, maxName),
		Webhook:     clean(n.WebhookID, maxID),
		Description: clean(n.WebhookDescription, maxDescription),
		Disabled:    n.WebhookDisabled,
		URL:         clean(shown, maxURL),
		Host:        clean(host, maxURL),
		Event:       clean(n.Event, maxEvent),
		EventID:     clean(n.EventID, maxID),
		Delivery:    clean(n.DeliveryID, maxID),
		Attempts:    attempts(n.Attempts, n.FirstAttemptAt, n.LastAttemptAt),
		LastError:   lastError(n),
		Resend:      resendCommand(n.APIURL, clean(n.DeliveryID, maxID)),
		WorkflowURL: link(n.WorkflowURL),
	}
}

// Title is the subject of the email and the summary of the Slack message.
func (v view) Title() string {
	return fmt.Sprintf("Webhook delivery failed: %s to %s", v.Event, v.Host)
}

// fact is one labelled line of the message.
type fact struct{ Label, Value string }

// Facts are the labelled lines, in order, without the empty ones.
func (v view) Facts() []fact {
	all := []fact{
		{"Webhook", withNote(v.Webhook, v.Description)},
		{"URL", v.URL},
		{"Event", withNote(v.Event, v.EventID)},
		{"Delivery", v.Delivery},
		{"Attempts", v.Attempts},
		{"Last error", v.LastError},
	}
	shown := make([]fact, 0, len(all))
	for _, f := range all {
		if f.Value != "" {
			shown = append(shown, f)
		}
	}
	return shown
}

// Next introduces the command that resends. What has to happen first depends on
// whether the webhook is still on.
func (v view) Next() string {
	if v.Disabled {
		return "The receiver said that it is gone, so the webhook was disabled and gets no further events. " +
			"Once it is active again, resend this one:"
	}
	return "Postrider will not try again by itself. Once the receiver works again, resend the event:"
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
func lastError(n Notice) string {
	text := clean(n.LastError, maxError)
	switch {
	case n.LastStatusCode != nil && !strings.Contains(text, strconv.Itoa(*n.LastStatusCode)):
		status := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", *n.LastStatusCode, http.StatusText(*n.LastStatusCode)))
		return strings.TrimSuffix(status+": "+text, ": ")
	case text == "":
		return clean(n.LastErrorClass, maxID)
	}
	return text
}

// resendCommand is a command line for a POSIX shell, or what to ask the API for
// when its address is not known.
func resendCommand(apiURL, deliveryID string) string {
	path := "/api/deliveries/" + url.PathEscape(deliveryID) + "/resend"
	base := strings.TrimRight(link(apiURL), "/")
	if base == "" {
		return "POST " + path
	}
	return "curl -X POST " + shellWord(base+path) + ` -H "Authorization: Bearer $POSTRIDER_KEY"`
}

// shellWord quotes a word unless it has only characters that mean nothing to a
// shell.
func shellWord(word string) string {
	special := strings.ContainsFunc(word, func(r rune) bool {
		letter := r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
		return !letter && !strings.ContainsRune("/:._-%", r)
	})
	if !special {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// link returns an absolute http or https URL, or nothing.
func link(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	if text := u.String(); len(text) <= maxLink {
		return text
	}
	return ""
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
