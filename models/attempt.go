package models

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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

// Attempts returns a delivery's attempts in their order.
func (s *Store) Attempts(ctx context.Context, deliveryID string) ([]Attempt, error) {
	var attempts []Attempt
	err := s.db.WithContext(ctx).Where("delivery_id = ?", deliveryID).Order("number, id").Find(&attempts).Error
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	return attempts, nil
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

// Outcome is an attempt with what it makes of its delivery.
type Outcome struct {
	Attempt Attempt
	// Status is the delivery's from now on.
	Status Status
	// NextAttemptAt is set for StatusFailed.
	NextAttemptAt *time.Time
	// RunID is the Temporal run that made the attempt.
	RunID string
	// DisableWebhook, unless empty, makes the webhook inactive for this reason.
	DisableWebhook string
	// ThrottledUntil, unless nil, is until when other deliveries' first attempts keep away from the webhook.
	ThrottledUntil *time.Time
	// Health is the webhook's as it was before, so that a success that changes nothing writes nothing.
	Health WebhookHealth
}

// Recorded is what RecordAttempt made of an outcome.
type Recorded struct {
	// Change is the turn that the attempt brought about in its webhook's health; empty for none.
	Change HealthChange
	// News are the deliveries of operational events, whose workflows are to be started.
	News []Delivery
}

// returningDelivery names its columns: a star would break in a process that runs while one is added.
var returningDelivery = clause.Returning{Columns: []clause.Column{
	{Name: "id"}, {Name: "event_id"}, {Name: "webhook_id"}, {Name: "owner_id"}, {Name: "event"}, {Name: "host"}, {Name: "test"},
}}

// errPurged undoes the record of an attempt whose delivery is gone.
var errPurged = errors.New("the delivery was purged")

// RecordAttempt writes, in one transaction, an attempt, the change of its delivery and of its webhook's
// health, and the operational events that follow from them. Writing the same attempt again changes nothing,
// and nothing is written of a delivery that was purged meanwhile.
func (s *Store) RecordAttempt(ctx context.Context, outcome Outcome) (Recorded, error) {
	attempt := outcome.Attempt
	changes := map[string]any{
		"status":           outcome.Status,
		"attempt_count":    gorm.Expr("attempt_count + 1"),
		"next_attempt_at":  outcome.NextAttemptAt,
		"last_status_code": attempt.StatusCode,
		"last_error":       attempt.Error,
		"cancel_reason":    "",
		"run_id":           outcome.RunID,
	}
	if outcome.Status == StatusDelivered {
		changes["delivered_at"] = attempt.StartedAt.Add(time.Duration(attempt.DurationMS) * time.Millisecond)
	}
	var recorded Recorded
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		inserted := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&attempt)
		if inserted.Error != nil {
			return inserted.Error
		}
		if inserted.RowsAffected == 0 {
			return changeBy(tx, attempt, &recorded.Change)
		}
		var delivery Delivery
		updated := tx.Model(&delivery).Clauses(returningDelivery).Where("id = ?", attempt.DeliveryID).Updates(changes)
		switch {
		case updated.Error != nil:
			return updated.Error
		case updated.RowsAffected == 0:
			return errPurged
		case delivery.Test && outcome.DisableWebhook == "":
			return nil
		}
		if outcome.Status == StatusDelivered && outcome.Health.settled(attempt.StartedAt) &&
			attempt.DurationMS < SlowAttempt.Milliseconds() {
			return nil
		}
		health, change, err := s.countAttempt(tx, outcome, delivery.WebhookID)
		if err != nil {
			return err
		}
		recorded.Change = change
		recorded.News, err = s.publishNews(tx, outcome, delivery, health, change)
		return err
	})
	if err != nil && !errors.Is(err, errPurged) {
		return Recorded{}, fmt.Errorf("record attempt: %w", err)
	}
	return recorded, nil
}
