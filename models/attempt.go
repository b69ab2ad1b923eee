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

// AttemptFilter says which attempts are listed, and with what.
type AttemptFilter struct {
	DeliveryID string
	// WithBody loads the bodies of responses too; without it ResponseBody is nil.
	WithBody bool
}
