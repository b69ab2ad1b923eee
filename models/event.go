package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"gorm.io/gorm"
)

// EventTest is the type of the event that POST /api/webhooks/{id}/test sends.
const EventTest = "webhook.test"

// Event is something that happened, published once.
type Event struct {
	ID string `gorm:"primaryKey"`
	// OwnerID limits the event to one owner's webhooks; empty when it goes to every matching webhook.
	OwnerID string
	Type    string `gorm:"column:event"`
	// Data is the publisher's JSON, byte for byte.
	Data []byte
	// IdempotencyKey is the publisher's name for the event, unique with OwnerID; nil for none.
	IdempotencyKey *string
	// DeliveryCount is how many webhooks matched.
	DeliveryCount int `gorm:"column:deliveries"`
	CreatedAt     time.Time
}

// sameAs says whether two events with one idempotency key are the same request.
func (e Event) sameAs(other Event) bool {
	return e.Type == other.Type && bytes.Equal(e.Data, other.Data)
}

// Published is the outcome of Publish.
type Published struct {
	Event Event
	// Deliveries are the new deliveries, none for a duplicate.
	Deliveries []Delivery
	// Duplicate says that the idempotency key was used before with the same event, which Event then is.
	Duplicate bool
}

// Publish stores an event and one pending delivery for every matching webhook, in one transaction. An
// idempotency key used before returns the first event, or ErrIdempotencyConflict when that one differs. An
// unknown owner is ErrNotFound.
func (s *Store) Publish(ctx context.Context, event Event) (Published, error) {
	event.CreatedAt = s.Now()
	event.ID = NewID(KindEvent, event.CreatedAt)
	if event.IdempotencyKey != nil {
		published, err := s.publishedBefore(ctx, event)
		if err != nil || published.Duplicate {
			return published, err
		}
	}
	var deliveries []Delivery
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		if deliveries, err = insertDeliveries(tx, event, ""); err != nil {
			return err
		}
		event.DeliveryCount = len(deliveries)
		return tx.Create(&event).Error
	})
	if event.IdempotencyKey != nil && isUniqueViolation(err) {
		// Another request with the same key was faster.
		published, lookUpErr := s.publishedBefore(ctx, event)
		if lookUpErr != nil || published.Duplicate {
			return published, lookUpErr
		}
	}
	if err != nil {
		return Published{}, fmt.Errorf("publish event: %w", err)
	}
	return Published{Event: event, Deliveries: deliveries}, nil
}

func (s *Store) publishedBefore(ctx context.Context, event Event) (Published, error) {
	var first Event
	err := s.db.WithContext(ctx).
		Where("owner_id = ? AND idempotency_key = ?", event.OwnerID, *event.IdempotencyKey).Take(&first).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return Published{}, nil
	case err != nil:
		return Published{}, fmt.Errorf("look up idempotency key: %w", err)
	case !first.sameAs(event):
		return Published{}, ErrIdempotencyConflict
	}
	return Published{Event: first, Duplicate: true}, nil
}

// The IDs of an event's deliveries share 21 of their 26 digits; the database counts in the last five, so
// that one statement inserts a delivery for each matching webhook, however many there are. These digits are
// random bits of a UUIDv7, so the IDs stay valid ones.
const (
	countedDigits = 5
	countedBits   = 5 * countedDigits
	countedMask   = 1<<countedBits - 1
)

// digitsSQL encodes the counted digits of n.n.
var digitsSQL = func() string {
	digits := make([]string, countedDigits)
	for i := range digits {
		shift := 5 * (countedDigits - 1 - i)
		digits[i] = fmt.Sprintf("substr('%s', ((n.n >> %d) & 31) + 1, 1)", idAlphabet, shift)
	}
	return strings.Join(digits, " || ")
}()

var insertDeliveriesSQL = `
INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, test, created_at)
SELECT CAST(@prefix AS text) || m.digits, @event_id, m.id, m.owner_id, @event, m.host, 'pending', 0, FALSE, @created_at
FROM (SELECT n.id, n.owner_id, n.host, ` + digitsSQL + ` AS digits
      FROM (SELECT w.id, w.owner_id, w.host,
                   CAST((row_number() OVER (ORDER BY w.id) + @start) & @mask AS integer) AS n
            FROM webhooks w
            WHERE w.active AND w.deleted_at IS NULL AND (@owner_id = '' OR w.owner_id = @owner_id) AND w.id <> @except
              AND w.id IN (SELECT p.webhook_id FROM webhook_patterns p WHERE p.pattern IN @patterns)) n) m
RETURNING id, event_id, webhook_id, owner_id, event, host, status, created_at`

// insertDeliveries makes a delivery for every webhook that matches, save one; except may be empty.
func insertDeliveries(tx *gorm.DB, event Event, except string) ([]Delivery, error) {
	id := NewID(KindDelivery, event.CreatedAt)
	var deliveries []Delivery
	err := tx.Raw(insertDeliveriesSQL, map[string]any{
		"prefix":     id[:len(id)-countedDigits],
		"event_id":   event.ID,
		"event":      event.Type,
		"created_at": event.CreatedAt,
		"start":      rand.Int64N(countedMask + 1), //nolint:gosec // spreads the IDs, guards nothing
		"mask":       countedMask,
		"owner_id":   event.OwnerID,
		"except":     except,
		"patterns":   patternsMatching(event.Type),
	}).Scan(&deliveries).Error
	return deliveries, err
}

// PublishTest stores a webhook.test event for one webhook, active or not, and its single delivery, which is
// tried once. Data is the event's JSON.
func (s *Store) PublishTest(ctx context.Context, webhook Webhook, data []byte) (Delivery, error) {
	now := s.Now()
	event := Event{
		ID: NewID(KindEvent, now), OwnerID: webhook.OwnerID, Type: EventTest, Data: data,
		DeliveryCount: 1, CreatedAt: now,
	}
	delivery := Delivery{
		ID: NewID(KindDelivery, now), EventID: event.ID, WebhookID: webhook.ID, OwnerID: webhook.OwnerID,
		Event: EventTest, Host: webhook.Host, Status: StatusPending, Test: true, CreatedAt: now,
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&event).Error; err != nil {
			return err
		}
		return tx.Create(&delivery).Error
	})
	if err != nil {
		return Delivery{}, fmt.Errorf("publish test event: %w", err)
	}
	return delivery, nil
}

// Event returns one event, or ErrNotFound.
func (s *Store) Event(ctx context.Context, scope Scope, id string) (Event, error) {
	var event Event
	if err := scope.apply(s.db.WithContext(ctx)).Where("id = ?", id).Take(&event).Error; err != nil {
		return Event{}, fmt.Errorf("load event: %w", oneRow(err))
	}
	return event, nil
}

// EventFilter narrows a list of events; its zero value narrows nothing.
type EventFilter struct {
	Type         string
	OwnerID      string
	Since, Until time.Time
}

// Events lists events, newest first, with the cursor of the next page.
func (s *Store) Events(ctx context.Context, scope Scope, filter EventFilter, page Page) ([]Event, string, error) {
	q := scope.apply(s.db.WithContext(ctx))
	if filter.Type != "" {
		q = q.Where("event = ?", filter.Type)
	}
	if filter.OwnerID != "" {
		q = q.Where("owner_id = ?", filter.OwnerID)
	}
	q = between(q, KindEvent, filter.Since, filter.Until)
	q, err := page.apply(q, KindEvent)
	if err != nil {
		return nil, "", err
	}
	var events []Event
	if err := q.Find(&events).Error; err != nil {
		return nil, "", fmt.Errorf("list events: %w", err)
	}
	events, next := cut(page, events, func(e Event) string { return e.ID })
	return events, next, nil
}

// between limits a query to rows made at or after since and before until, by the time within their IDs:
// the primary key serves it.
func between(q *gorm.DB, kind Kind, since, until time.Time) *gorm.DB {
	if !since.IsZero() {
		q = q.Where("id >= ?", firstID(kind, since))
	}
	if !until.IsZero() {
		q = q.Where("id < ?", firstID(kind, until))
	}
	return q
}
