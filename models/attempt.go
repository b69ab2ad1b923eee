package models

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/typeid"
)

// Trigger says what caused an attempt.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule"
	TriggerResend   Trigger = "resend"
	TriggerTest     Trigger = "test"
)

// ErrorClass says in one word why an attempt failed.
type ErrorClass string

// The error classes.
const (
	ErrorDNS               ErrorClass = "dns"
	ErrorConnectionRefused ErrorClass = "connection_refused"
	ErrorConnectTimeout    ErrorClass = "connect_timeout"
	ErrorTimeout           ErrorClass = "timeout"
	ErrorTLS               ErrorClass = "tls"
	ErrorReset             ErrorClass = "reset"
	ErrorBlocked           ErrorClass = "blocked"
	ErrorHTTPStatus        ErrorClass = "http_status"
	// ErrorAuth: no access token could be had, and no request was made with one.
	ErrorAuth ErrorClass = "auth"
	// ErrorTransform: the webhook's transformation failed, and no request was made.
	ErrorTransform ErrorClass = "transform"
)

// ErrorClasses lists every error class: attempts that failed are looked for by them.
func ErrorClasses() []ErrorClass {
	return []ErrorClass{
		ErrorDNS, ErrorConnectionRefused, ErrorConnectTimeout, ErrorTimeout, ErrorTLS, ErrorReset, ErrorBlocked, ErrorHTTPStatus,
		ErrorTransform, ErrorAuth,
	}
}

// MaxResponseBody is how many bytes of a response body the log keeps.
const MaxResponseBody = 16 << 10

// Attempt is one HTTP request of a delivery: the log that users read.
type Attempt struct {
	ID         string `gorm:"primaryKey"`
	DeliveryID string
	// Number counts a delivery's attempts from 1, through all resends.
	Number  int
	Trigger Trigger
	// StatusCode is nil when no response came.
	StatusCode *int
	// ErrorClass is empty on success.
	ErrorClass ErrorClass
	Error      string
	DurationMS int64 `gorm:"column:duration_ms"`
	// ResponseBody is at most the first MaxResponseBody bytes.
	ResponseBody []byte
	// RemoteAddr is the address that was connected to; empty without a connection.
	RemoteAddr string
	StartedAt  time.Time
	// RequestHeaders and ResponseHeaders are masked, bounded and packed: see internal/headerlog. They are nil where there
	// was no request, or no answer.
	RequestHeaders, ResponseHeaders []byte
	// WebhookKey and OwnerKey are the LogKeys of the delivery's webhook and owner.
	WebhookKey, OwnerKey string
	// GaveUp says that the delivery was given up with the attempt; nil otherwise.
	GaveUp *bool
	// WebhookID and Event are the delivery's, where attempts of several deliveries are listed.
	WebhookID string `gorm:"-"`
	Event     string `gorm:"-"`
}

// Of says whose attempt it is.
func (a Attempt) Of(delivery Delivery) Attempt {
	a.WebhookKey, a.OwnerKey = LogKey(delivery.WebhookID), LogKey(delivery.OwnerID)
	return a
}

// LogKey is what the log's indexes have of the ID of a webhook or an owner: its last digits, which are random. Entries are
// a third as large as with the whole ID. Two IDs may have the same key: who looks by keys compares the IDs too.
func LogKey(id string) string {
	const digits = 7
	return id[max(0, len(id)-digits):]
}

// AttemptID names one attempt of a Temporal run. Asking again gives the same ID, so that a repeated activity
// finds what its predecessor recorded instead of calling the receiver twice.
func AttemptID(runID string, sequence int, at time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", runID, sequence))
	return typeid.From(typeid.KindAttempt, at, [16]byte(sum[:16]))
}

// FirstAttemptID names the first attempt of a delivery that is made without a workflow. It begins with the
// delivery's own time, as every ID of an attempt begins with one.
func FirstAttemptID(deliveryID string) string {
	const timeDigits = 10 // 48 bits of milliseconds, in digits of 5 bits
	sum := sha256.Sum256([]byte(deliveryID))
	id := typeid.From(typeid.KindAttempt, time.UnixMilli(0), [16]byte(sum[:16]))
	made := strings.TrimPrefix(deliveryID, string(typeid.KindDelivery)+"_")[:timeDigits]
	return id[:len(id)-typeid.Digits] + made + id[len(id)-typeid.Digits+timeDigits:]
}

// AttemptStatus says whether an attempt succeeded.
type AttemptStatus string

// What becomes of an attempt.
const (
	AttemptSucceeded AttemptStatus = "succeeded"
	AttemptFailed    AttemptStatus = "failed"
)

// AttemptFilter says which attempts are listed, and with what; its zero value narrows nothing.
type AttemptFilter struct {
	// DeliveryID is the only filter of a delivery's own attempts.
	DeliveryID           string
	WebhookIDs, OwnerIDs []string
	Statuses             []AttemptStatus
	ErrorClasses         []ErrorClass
	Since, Until         time.Time
	AttemptContents
}

// AttemptContents says what is loaded of attempts beyond the short facts; what is not is nil.
type AttemptContents struct{ ResponseBody, RequestHeaders, ResponseHeaders bool }
