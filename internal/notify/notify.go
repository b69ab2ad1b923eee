// Package notify tells an owner that a delivery was given up, that a webhook has
// begun to fail, or that Postrider has disabled a webhook, by email and by a
// Slack-compatible incoming webhook.
//
// A notice says which webhook and event it is about, what the last error was and
// how to resend, and nothing else: no payload, no secret, no response body, and
// of the webhook's URL neither query nor userinfo. Text that users chose (event
// types, descriptions) cannot add headers, recipients, links or mentions.
//
// An owner must not be told twice. Every Send therefore returns nil once the
// message was accepted, or an error of one of three kinds:
//
//   - it wraps ErrMaybeSent: the message may have gone out. Do not repeat.
//   - it wraps ErrPermanent: it did not go out, and repeating will not help.
//   - neither: it surely did not go out. Repeating is safe.
package notify

import (
	"cmp"
	"errors"
	"time"
)

var (
	// ErrMaybeSent marks a failure after which the owner may have the message.
	ErrMaybeSent = errors.New("the notification may have been sent")
	// ErrPermanent marks a failure that lies in the recipient and stays.
	ErrPermanent = errors.New("the notification cannot be delivered")
)

// Notice is one of Exhausted, Failing and Disabled.
type Notice interface {
	// about returns what all notices have.
	about() About
	// occasion names what the notice tells and the occasion: the same whenever the message is tried again.
	occasion() string
	// view is what the notice shows, given the webhook's host.
	view(host string) view
}

// About is what every notice says. Empty fields are left out of the message.
type About struct {
	// Key names the occasion and is the same whenever its message is tried again. A mail system may drop the second of
	// two messages of one kind and key. It is not shown.
	Key string

	OwnerName string

	WebhookID          string
	WebhookURL         string // query, fragment and userinfo are removed before it is shown
	WebhookDescription string

	// LastStatusCode is nil when the last attempt got no HTTP answer.
	LastStatusCode *int
	LastErrorClass string
	LastError      string

	// APIURL is the base URL of the REST API, for the commands.
	APIURL string
}

// Exhausted tells that one delivery was given up.
type Exhausted struct {
	About
	// WebhookDisabled says that the failure also switched the webhook off (410 Gone).
	WebhookDisabled bool
	DeliveryID      string
	EventID         string
	Event           string // the event's type
	Attempts        int
	FirstAttemptAt  time.Time
	LastAttemptAt   time.Time
	// WorkflowURL is the delivery's page in the Temporal Web UI.
	WorkflowURL string
}

// Failures are those of a webhook since its last success.
type Failures struct {
	// FailingSince is when the first of the failures happened. Without it the message does not say how to recover,
	// because the API needs a time for that.
	FailingSince time.Time
	// FailedDeliveries counts what was given up since the last success.
	FailedDeliveries int
	// LastSuccessAt is nil when no delivery has ever succeeded.
	LastSuccessAt *time.Time
}

// Failing tells that a webhook has begun to fail: deliveries to it were given up, and none has succeeded since.
type Failing struct {
	About
	Failures
	// DisabledAt is when Postrider will disable the webhook unless a delivery succeeds; zero when that is switched off.
	DisabledAt time.Time
}

// Disabled tells that Postrider has disabled a webhook.
type Disabled struct {
	About
	Failures
	// DisabledAt is when, and DisabledReason why.
	DisabledAt     time.Time
	DisabledReason string
}

func (a About) about() About { return a }

func (n Exhausted) occasion() string { return cmp.Or(n.Key, n.DeliveryID) }

func (n Failing) occasion() string { return "failing" + cmp.Or(n.Key, n.stretch(n.WebhookID)) }

func (n Disabled) occasion() string { return "disabled" + cmp.Or(n.Key, n.stretch(n.WebhookID)) }

// stretch names the failures of a webhook, for notices without a key.
func (f Failures) stretch(webhookID string) string {
	return webhookID + f.FailingSince.UTC().Format(time.RFC3339Nano)
}
