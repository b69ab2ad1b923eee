package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Delivery returns one delivery, or ErrNotFound.
func (s *Store) Delivery(ctx context.Context, scope models.Scope, id string) (models.Delivery, error) {
	var delivery models.Delivery
	if err := visible(scope, s.db.WithContext(ctx)).Where("id = ?", id).Take(&delivery).Error; err != nil {
		return models.Delivery{}, fmt.Errorf("load delivery: %w", oneRow(err))
	}
	return delivery, nil
}

// Deliveries lists deliveries, newest first, with the cursors of the pages beside.
func (s *Store) Deliveries(ctx context.Context, scope models.Scope, filter models.DeliveryFilter, page models.Page) ([]models.Delivery, models.Cursors, error) {
	of := listing[models.Delivery]{
		kind: typeid.KindDelivery, id: func(d models.Delivery) string { return d.ID },
		filters: []oneOf{
			is("event_id", filter.EventIDs), is("webhook_id", filter.WebhookIDs), is("status", filter.Statuses),
			is("event", filter.Events), is("owner_id", filter.OwnerIDs),
		},
	}
	deliveries, cursors, err := s.found(ctx, scope, filter, page, of)
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list deliveries: %w", err)
	}
	return deliveries, cursors, nil
}

// UnstartedDeliveries returns deliveries whose first attempt was made without a workflow and failed, and whose
// workflow may not have been started, oldest first, from behind the one with the ID after.
func (s *Store) UnstartedDeliveries(ctx context.Context, after string, limit int) ([]models.Delivery, error) {
	var deliveries []models.Delivery
	err := s.db.WithContext(ctx).Where("run_id = '' AND status IN ('failed', 'permanently_failed') AND id > ?", after).
		Order("id").Limit(limit).Find(&deliveries).Error
	if err != nil {
		return nil, fmt.Errorf("list unstarted deliveries: %w", err)
	}
	return deliveries, nil
}

// PendingDeliveriesOf is PendingDeliveries for one event, with those that are the first of their queues.
func (s *Store) PendingDeliveriesOf(ctx context.Context, eventID, after string, limit int) ([]models.Delivery, error) {
	return s.pending(ctx, s.db.Where("event_id = ? AND "+inTurnSQL, eventID), after, limit)
}

func (s *Store) pending(ctx context.Context, q *gorm.DB, after string, limit int) ([]models.Delivery, error) {
	var deliveries []models.Delivery
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
	err := s.db.WithContext(ctx).Model(&models.Delivery{}).Where("id = ? AND status = 'pending'", id).
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
		err := s.db.WithContext(ctx).Model(&models.Delivery{}).Where("id IN ? AND status IN ('pending', 'cancelled') AND attempt_count = 0", some).
			Update("leased_until", until.UTC()).Error
		if err != nil {
			return fmt.Errorf("lease deliveries: %w", err)
		}
	}
	return nil
}

// AdoptFirstAttempt makes a run responsible for a delivery whose first attempt was made without a workflow, and
// returns the attempt.
func (s *Store) AdoptFirstAttempt(ctx context.Context, deliveryID, runID string) (models.Attempt, error) {
	var attempt models.Attempt
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("id = ?", models.FirstAttemptID(deliveryID)).Take(&attempt).Error; err != nil {
			return oneRow(err)
		}
		return tx.Model(&models.Delivery{}).Where("id = ? AND run_id = ''", deliveryID).Update("run_id", runID).Error
	})
	if err != nil {
		return models.Attempt{}, fmt.Errorf("adopt first attempt: %w", err)
	}
	return attempt, nil
}
