package models

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
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
)

// ErrorClasses lists every error class.
func ErrorClasses() []ErrorClass {
	return []ErrorClass{ErrorDNS, ErrorConnectionRefused, ErrorConnectTimeout, ErrorTimeout, ErrorTLS,
		ErrorReset, ErrorBlocked, ErrorHTTPStatus}
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
}

// AttemptID names one attempt of a Temporal run. Asking again gives the same ID, so that a repeated activity
// finds what its predecessor recorded instead of calling the receiver twice.
func AttemptID(runID string, sequence int, at time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", runID, sequence))
	return idOf(KindAttempt, at, [16]byte(sum[:16]))
}

// FirstAttemptID names the first attempt of a delivery that is made without a workflow. It begins with the
// delivery's own time, as every ID of an attempt begins with one.
func FirstAttemptID(deliveryID string) string {
	const timeDigits = 10 // 48 bits of milliseconds, in digits of 5 bits
	sum := sha256.Sum256([]byte(deliveryID))
	id := idOf(KindAttempt, time.UnixMilli(0), [16]byte(sum[:16]))
	made := strings.TrimPrefix(deliveryID, string(KindDelivery)+"_")[:timeDigits]
	return id[:len(id)-idLength] + made + id[len(id)-idLength+timeDigits:]
}

// Attempts returns a delivery's attempts in their order.
func (s *Store) Attempts(ctx context.Context, deliveryID string) ([]Attempt, error) {
	var attempts []Attempt
	err := s.db.WithContext(ctx).Where("delivery_id = ?", deliveryID).Order("number, id").Find(&attempts).Error
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	return attempts, nil
}

// AttemptFilter says which attempts are listed, and with what.
type AttemptFilter struct {
	DeliveryID string
	// WithBody loads the bodies of responses too; without it ResponseBody is nil.
	WithBody bool
}

// AttemptsPage lists attempts, the last first, with the cursor of the next page.
func (s *Store) AttemptsPage(ctx context.Context, filter AttemptFilter, page Page) ([]Attempt, string, error) {
	q := s.db.WithContext(ctx).Where("delivery_id = ?", filter.DeliveryID)
	if !filter.WithBody {
		q = q.Omit("response_body")
	}
	direction, behind := "DESC", "<"
	if page.OldestFirst {
		direction, behind = "", ">"
	}
	if page.Cursor != "" {
		last, err := s.attemptAt(ctx, filter.DeliveryID, page)
		if err != nil {
			return nil, "", fmt.Errorf("list attempts: %w", err)
		}
		q = q.Where("(number, id) "+behind+" (?, ?)", last.Number, last.ID)
	}
	// By number, as the index has them.
	q = q.Order("number " + direction + ", id " + direction).Limit(pageLimit(page) + 1)
	var attempts []Attempt
	if err := q.Find(&attempts).Error; err != nil {
		return nil, "", fmt.Errorf("list attempts: %w", err)
	}
	attempts, next := cut(page, attempts, func(a Attempt) string { return a.ID })
	return attempts, next, nil
}

// attemptAt finds the attempt that a cursor stands for.
func (s *Store) attemptAt(ctx context.Context, deliveryID string, page Page) (Attempt, error) {
	id, err := positionOf(page, KindAttempt)
	if err != nil {
		return Attempt{}, err
	}
	var attempt Attempt
	err = s.db.WithContext(ctx).Select("id", "number").Where("id = ? AND delivery_id = ?", id, deliveryID).Take(&attempt).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Attempt{}, ErrBadCursor
	}
	return attempt, err
}

// Dispatch is all that one attempt needs to know.
type Dispatch struct {
	Delivery Delivery `gorm:"embedded;embeddedPrefix:d_"`
	Event    Event    `gorm:"embedded;embeddedPrefix:e_"`
	Webhook  Webhook  `gorm:"embedded;embeddedPrefix:w_"`
	// Health is the webhook's; its zero value when it was never called.
	Health WebhookHealth `gorm:"embedded;embeddedPrefix:h_"`
	// Recorded is the attempt that was asked for when the log has it already; its ID is empty otherwise.
	Recorded Attempt `gorm:"embedded;embeddedPrefix:a_"`
}

// Dispatch loads what the attempt with the given ID needs, in one statement. A delivery that is not there
// (any more) is ErrNotFound.
func (s *Store) Dispatch(ctx context.Context, deliveryID, attemptID string) (Dispatch, error) {
	var dispatch Dispatch
	result := s.db.WithContext(ctx).Raw(s.dispatchSQL, attemptID, deliveryID).Scan(&dispatch)
	switch {
	case result.Error != nil:
		return Dispatch{}, fmt.Errorf("load delivery: %w", result.Error)
	case result.RowsAffected == 0:
		return Dispatch{}, fmt.Errorf("load delivery: %w", ErrNotFound)
	}
	return dispatch, nil
}

func dispatchSQL(db *gorm.DB) string {
	return "SELECT " + columns(db, "d", Delivery{}) + ", " + columns(db, "e", Event{}) + ", " +
		columns(db, "w", Webhook{}) + ", " + columns(db, "h", WebhookHealth{}) + ", " + columns(db, "a", Attempt{}) + `
		FROM deliveries d JOIN events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id
		LEFT JOIN webhook_health h ON h.webhook_id = d.webhook_id
		LEFT JOIN attempts a ON a.id = ? AND a.delivery_id = d.id
		WHERE d.id = ?`
}
