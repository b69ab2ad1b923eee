// Package notify tells an owner that a delivery was given up, by email and by a
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
	"errors"
	"time"
)

var (
	// ErrMaybeSent marks a failure after which the owner may have the message.
	ErrMaybeSent = errors.New("the notification may have been sent")
	// ErrPermanent marks a failure that lies in the recipient and stays.
	ErrPermanent = errors.New("the notification cannot be delivered")
)

// Notice tells of one delivery that was given up. Empty fields are left out of
// the message.
type Notice struct {
	// Key names the occasion and is the same whenever its message is tried again.
	// A mail system may drop the second of two messages with one key. It is not
	// shown.
	Key string

	OwnerName string

	WebhookID          string
	WebhookURL         string // query, fragment and userinfo are removed before it is shown
	WebhookDescription string
	// WebhookDisabled says that the failure also switched the webhook off (410 Gone).
	WebhookDisabled bool

	DeliveryID string
	EventID    string
	Event      string // the event's type

	Attempts       int
	FirstAttemptAt time.Time
	LastAttemptAt  time.Time
	// LastStatusCode is nil when the last attempt got no HTTP answer.
	LastStatusCode *int
	LastErrorClass string
	LastError      string

	// APIURL is the base URL of the REST API, for the command that resends.
	APIURL string
	// WorkflowURL is the delivery's page in the Temporal Web UI.
	WorkflowURL string
}
