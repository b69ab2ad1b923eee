package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Publish stores an event and one pending delivery for every matching webhook, in one transaction. An
// idempotency key used before returns the first event, or ErrIdempotencyConflict when that one differs.
//
// On PostgreSQL, events that are published at the same time share a transaction, unless they have many deliveries.
func (s *Store) Publish(ctx context.Context, event models.Event) (models.Published, error) {
	address(&event)
	event.CreatedAt = s.Now()
	event.ID = typeid.New(typeid.KindEvent, event.CreatedAt)
	published, err := s.publish(ctx, event)
	if errors.Is(err, errKeyUsed) {
		if published, err = s.publishedBefore(ctx, event); err == nil && !published.Duplicate {
			err = errKeyUsed // and whoever used it has undone that
		}
	}
	if err != nil {
		return models.Published{}, fmt.Errorf("publish event: %w", err)
	}
	return published, nil
}

// errKeyUsed says that an event with the same idempotency key is stored.
var errKeyUsed = errors.New("idempotency key used before")

// publishAlone stores an event in a transaction of its own.
func (s *Store) publishAlone(ctx context.Context, event models.Event) (models.Published, error) {
	var deliveries []models.Delivery
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		if deliveries, err = insertDeliveries(tx, event, "", s.leasedUntil(event)); err != nil {
			return err
		}
		event.DeliveryCount = len(deliveries)
		return tx.Create(&event).Error
	})
	if len(deliveries) > s.mostDeliveries {
		deliveries = nil
	}
	if event.IdempotencyKey != nil && isUniqueViolation(err) {
		err = errKeyUsed
	}
	return models.Published{Event: event, Deliveries: deliveries}, err
}

func (s *Store) publishedBefore(ctx context.Context, event models.Event) (models.Published, error) {
	var first models.Event
	err := s.db.WithContext(ctx).
		Where("owner_id = ? AND idempotency_key = ?", event.OwnerID, *event.IdempotencyKey).Take(&first).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return models.Published{}, nil
	case err != nil:
		return models.Published{}, fmt.Errorf("look up idempotency key: %w", err)
	case !sameRequest(first, event):
		return models.Published{}, models.ErrIdempotencyConflict
	}
	return models.Published{Event: first, Duplicate: true}, nil
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
		digits[i] = fmt.Sprintf("substr('%s', ((n.n >> %d) & 31) + 1, 1)", typeid.Alphabet, shift)
	}
	return strings.Join(digits, " || ")
}()

// Webhooks that match are looked up among those of the event's owner, or among all when it is broadcast. A pattern
// without an owner was written by a process of an older version.
const (
	patternOfOwner = " AND p.owner_id IN (@owner_id, '')"
	webhookOfOwner = " AND w.owner_id = @owner_id"
)

func insertDeliveriesSQL(patternOf, webhookOf string) string {
	return `
INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, leased_until, test, created_at)
SELECT CAST(@prefix AS text) || m.digits, @event_id, m.id, m.owner_id, @event, m.host, 'pending', 0, @leased_until, FALSE, @created_at
FROM (SELECT n.id, n.owner_id, n.host, ` + digitsSQL + ` AS digits
      FROM (SELECT w.id, w.owner_id, w.host,
                   CAST((row_number() OVER (ORDER BY w.id) + @start) & @mask AS integer) AS n
            FROM webhooks w
            WHERE w.active AND NOT w.suspended AND w.deleted_at IS NULL AND w.id <> @except` + webhookOf + `
              AND w.id IN (SELECT p.webhook_id FROM webhook_patterns p WHERE p.pattern IN @patterns` + patternOf + `)) n) m
RETURNING id, event_id, webhook_id, owner_id, event, host, status, created_at`
}

var (
	insertOwnersDeliveriesSQL = insertDeliveriesSQL(patternOfOwner, webhookOfOwner)
	insertAllDeliveriesSQL    = insertDeliveriesSQL("", "")
)

// insertDeliveries makes a delivery for every webhook that matches, save one; except may be empty, and the lease nil.
func insertDeliveries(tx *gorm.DB, event models.Event, except string, leasedUntil *time.Time) ([]models.Delivery, error) {
	prefix, start := countedIDs(event)
	statement := insertOwnersDeliveriesSQL
	if event.OwnerID == "" {
		statement = insertAllDeliveriesSQL
	}
	var deliveries []models.Delivery
	err := tx.Raw(statement, map[string]any{
		"prefix":       prefix,
		"event_id":     event.ID,
		"event":        event.Type,
		"created_at":   event.CreatedAt,
		"leased_until": leasedUntil,
		"start":        start,
		"mask":         countedMask,
		"owner_id":     event.OwnerID,
		"except":       except,
		"patterns":     models.PatternsMatching(event.Type),
	}).Scan(&deliveries).Error
	return deliveries, err
}

// PublishTest stores a webhook.test event for one webhook, active or not, and its single delivery, which is
// tried once. Data is the event's JSON.
func (s *Store) PublishTest(ctx context.Context, webhook models.Webhook, data []byte) (models.Delivery, error) {
	now := s.Now()
	event := models.Event{
		ID: typeid.New(typeid.KindEvent, now), OwnerID: webhook.OwnerID, Type: models.EventTest, Data: data,
		DeliveryCount: 1, CreatedAt: now,
	}
	delivery := models.Delivery{
		ID: typeid.New(typeid.KindDelivery, now), EventID: event.ID, WebhookID: webhook.ID, OwnerID: webhook.OwnerID,
		Event: models.EventTest, Host: webhook.Host, Status: models.StatusPending, Test: true, CreatedAt: now,
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&event).Error; err != nil {
			return err
		}
		return tx.Create(&delivery).Error
	})
	if err != nil {
		return models.Delivery{}, fmt.Errorf("publish test event: %w", err)
	}
	return delivery, nil
}
