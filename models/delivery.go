package models

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Status says how far a delivery is.
type Status string

// The statuses. A delivery begins pending; delivered, permanently_failed and cancelled are ends, which only
// a resend leaves.
const (
	StatusPending           Status = "pending"
	StatusFailed            Status = "failed"
	StatusDelivered         Status = "delivered"
	StatusPermanentlyFailed Status = "permanently_failed"
	StatusCancelled         Status = "cancelled"
)

// Statuses lists every status.
func Statuses() []Status {
	return []Status{StatusPending, StatusFailed, StatusDelivered, StatusPermanentlyFailed, StatusCancelled}
}

// Finished says that nothing more happens unless someone resends.
func (s Status) Finished() bool {
	return s == StatusDelivered || s == StatusPermanentlyFailed || s == StatusCancelled
}

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID        string `gorm:"primaryKey"`
	EventID   string
	WebhookID string
	OwnerID   string
	// Event is the event's type.
	Event string
	// Host is where the webhook pointed when the event was published.
	Host   string
	Status Status
	// AttemptCount is how many attempts were made and recorded, resends included.
	AttemptCount int
	// NextAttemptAt is when the next attempt is due; nil when it is under way, or there is none to come.
	NextAttemptAt *time.Time
	// LeasedUntil is until when a pending delivery is left to who is about it; nil when nobody is.
	LeasedUntil    *time.Time
	DeliveredAt    *time.Time
	LastStatusCode *int
	// LastError says why the last attempt failed; empty when it did not.
	LastError string
	// EndedAt is when the delivery ended; nil while it has not, or goes on because of a resend.
	EndedAt *time.Time
	// CancelReason says why the delivery was cancelled, for people, and CancelCause for programs; both are empty
	// unless it was.
	CancelReason string
	CancelCause  CancelCause
	// Test deliveries are tried once and nobody is told of their failure.
	Test bool
	// RunID is the Temporal run that made the last attempt; empty before the first.
	RunID     string
	CreatedAt time.Time
}

// LeftFor is for how long the first attempt is left to the process that published the event, which may be making it
// right now without a workflow; 0 when it is not. What waits its turn is leased too, but then it is known when it is due.
func (d Delivery) LeftFor(now time.Time) time.Duration {
	if d.AttemptCount > 0 || d.NextAttemptAt != nil || d.LeasedUntil == nil {
		return 0
	}
	return max(0, d.LeasedUntil.Sub(now))
}

// Delivery returns one delivery, or ErrNotFound.
func (s *Store) Delivery(ctx context.Context, scope Scope, id string) (Delivery, error) {
	var delivery Delivery
	if err := visible(scope, s.db.WithContext(ctx)).Where("id = ?", id).Take(&delivery).Error; err != nil {
		return Delivery{}, fmt.Errorf("load delivery: %w", oneRow(err))
	}
	return delivery, nil
}

// DeliveryFilter narrows a list of deliveries; its zero value narrows nothing.
type DeliveryFilter struct {
	Status       Status
	WebhookID    string
	EventID      string
	Event        string
	OwnerID      string
	Since, Until time.Time
}

// Deliveries lists deliveries, newest first, with the cursor of the next page.
func (s *Store) Deliveries(ctx context.Context, scope Scope, filter DeliveryFilter, page Page) ([]Delivery, string, error) {
	q := visible(scope, s.db.WithContext(ctx))
	for _, condition := range []struct{ column, value string }{
		{"status", string(filter.Status)}, {"webhook_id", filter.WebhookID}, {"event_id", filter.EventID},
		{"event", filter.Event}, {"owner_id", filter.OwnerID},
	} {
		if condition.value != "" {
			q = q.Where(condition.column+" = ?", condition.value)
		}
	}
	q = between(q, KindDelivery, filter.Since, filter.Until)
	q, err := onPage(page, q, KindDelivery)
	if err != nil {
		return nil, "", err
	}
	var deliveries []Delivery
	if err := q.Find(&deliveries).Error; err != nil {
		return nil, "", fmt.Errorf("list deliveries: %w", err)
	}
	deliveries, next := cut(page, deliveries, func(d Delivery) string { return d.ID })
	return deliveries, next, nil
}

// PendingDeliveries returns deliveries without an attempt that were made at or before a time, oldest first,
// from behind the one with the ID after. They are the ones whose workflow may not have been started; one that
// waits its turn, or is left to the process that published it, is not among them.
func (s *Store) PendingDeliveries(ctx context.Context, madeBy time.Time, after string, limit int) ([]Delivery, error) {
	// SQLite compares times as text, which all have to be in UTC for that.
	now := s.Now()
	q := s.db.Where("created_at <= ? AND (leased_until IS NULL OR leased_until <= ?) AND (next_attempt_at IS NULL OR next_attempt_at <= ?)",
		madeBy.UTC(), now, now)
	return s.pending(ctx, q, after, limit)
}

// UnstartedDeliveries returns deliveries whose first attempt was made without a workflow and failed, and whose
// workflow may not have been started, oldest first, from behind the one with the ID after.
func (s *Store) UnstartedDeliveries(ctx context.Context, after string, limit int) ([]Delivery, error) {
	var deliveries []Delivery
	err := s.db.WithContext(ctx).Where("run_id = '' AND status IN ('failed', 'permanently_failed') AND id > ?", after).
		Order("id").Limit(limit).Find(&deliveries).Error
	if err != nil {
		return nil, fmt.Errorf("list unstarted deliveries: %w", err)
	}
	return deliveries, nil
}

// PendingDeliveriesOf is PendingDeliveries for one event.
func (s *Store) PendingDeliveriesOf(ctx context.Context, eventID, after string, limit int) ([]Delivery, error) {
	return s.pending(ctx, s.db.Where("event_id = ?", eventID), after, limit)
}

func (s *Store) pending(ctx context.Context, q *gorm.DB, after string, limit int) ([]Delivery, error) {
	var deliveries []Delivery
	err := q.WithContext(ctx).Where("status = 'pending' AND id > ?", after).
		Order("id").Limit(limit).Find(&deliveries).Error
	if err != nil {
		return nil, fmt.Errorf("list pending deliveries: %w", err)
	}
	return deliveries, nil
}

// Postpone says when a delivery without an attempt gets its first, and until when the sweep leaves it to who says
// so; one that had an attempt stays as it is.
func (s *Store) Postpone(ctx context.Context, id string, due, leasedUntil time.Time) error {
	err := s.db.WithContext(ctx).Model(&Delivery{}).Where("id = ? AND status = 'pending'", id).
		Updates(map[string]any{"next_attempt_at": due.UTC(), "leased_until": leasedUntil.UTC()}).Error
	if err != nil {
		return fmt.Errorf("postpone delivery: %w", err)
	}
	return nil
}

// Lease keeps the sweep and resends away, until a time, from deliveries whose first attempts are under way without a
// workflow, those included that someone has cancelled meanwhile.
func (s *Store) Lease(ctx context.Context, ids []string, until time.Time) error {
	const most = 100 // of one statement, which is prepared for each number
	for some := range slices.Chunk(ids, most) {
		err := s.db.WithContext(ctx).Model(&Delivery{}).Where("id IN ? AND status IN ('pending', 'cancelled') AND attempt_count = 0", some).
			Update("leased_until", until.UTC()).Error
		if err != nil {
			return fmt.Errorf("lease deliveries: %w", err)
		}
	}
	return nil
}

// AdoptFirstAttempt makes a run responsible for a delivery whose first attempt was made without a workflow, and
// returns the attempt.
func (s *Store) AdoptFirstAttempt(ctx context.Context, deliveryID, runID string) (Attempt, error) {
	var attempt Attempt
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("id = ?", FirstAttemptID(deliveryID)).Take(&attempt).Error; err != nil {
			return oneRow(err)
		}
		return tx.Model(&Delivery{}).Where("id = ? AND run_id = ''", deliveryID).Update("run_id", runID).Error
	})
	if err != nil {
		return Attempt{}, fmt.Errorf("adopt first attempt: %w", err)
	}
	return attempt, nil
}
