package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// InboundEvent returns one inbound event, or ErrNotFound.
func (s *Store) InboundEvent(ctx context.Context, scope models.Scope, id string) (models.InboundEvent, error) {
	var inbound models.InboundEvent
	if err := visible(scope, s.db.WithContext(ctx)).Where("id = ?", id).Take(&inbound).Error; err != nil {
		return models.InboundEvent{}, fmt.Errorf("load inbound event: %w", oneRow(err))
	}
	return inbound, nil
}

// InboundEvents lists inbound events without their headers, newest first, with the cursors of the pages beside.
func (s *Store) InboundEvents(ctx context.Context, scope models.Scope, filter models.InboundFilter, page models.Page) ([]models.InboundEvent, models.Cursors, error) {
	of := listing[models.InboundEvent]{
		kind: typeid.KindInbound, id: func(e models.InboundEvent) string { return e.ID },
		filters: []oneOf{is("source_id", filter.SourceIDs), is("status", filter.Statuses), is("type", filter.Types)},
		omit:    []string{"body", "headers"},
	}
	if filter.WithBody {
		of.fill = func(inbound []models.InboundEvent) (int, error) {
			bodies, err := s.payloads(ctx, &models.InboundEvent{}, "body", idsOf(inbound, of.id))
			for i := range bodies {
				inbound[i].Body = bodies[i]
			}
			return len(bodies), err
		}
	}
	q := between(visible(scope, s.db.WithContext(ctx)), typeid.KindInbound, filter.Since, filter.Until)
	inbound, cursors, err := list(q, page, of)
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list inbound events: %w", err)
	}
	return inbound, cursors, nil
}

// PendingInbound returns inbound events that were received at or before a time and are not processed, oldest
// first, from behind the one with the ID after: those whose workflow may not have been started.
func (s *Store) PendingInbound(ctx context.Context, receivedBy time.Time, after string, limit int) ([]models.InboundEvent, error) {
	var inbound []models.InboundEvent
	err := s.db.WithContext(ctx).Omit("body", "headers").
		Where("status = 'pending' AND created_at <= ? AND id > ?", receivedBy.UTC(), after).
		Order("id").Limit(limit).Find(&inbound).Error
	if err != nil {
		return nil, fmt.Errorf("list pending inbound events: %w", err)
	}
	return inbound, nil
}

// ProcessInbound publishes what an inbound event stands for, which the function makes of it, and marks it as
// processed, in one transaction. One that is processed already publishes nothing: it returns the event of the
// first time and no deliveries.
func (s *Store) ProcessInbound(ctx context.Context, id string, event func(models.InboundEvent, models.Source) (models.Event, error)) (models.Published, error) {
	var published models.Published
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var inbound models.InboundEvent
		if err := forUpdate(tx).Where("id = ?", id).Take(&inbound).Error; err != nil {
			return oneRow(err)
		}
		if inbound.Status == models.InboundProcessed {
			published.Duplicate = true
			return oneRow(tx.Where("id = ?", inbound.EventID).Take(&published.Event).Error)
		}
		var source models.Source
		if err := tx.Where("id = ?", inbound.SourceID).Take(&source).Error; err != nil {
			return oneRow(err)
		}
		made, err := event(inbound, source)
		if err != nil {
			return err
		}
		made.InboundID = inbound.ID
		s.identify(&made)
		if published, err = s.insertEvent(tx, made, insertion{}); err != nil {
			return err
		}
		return tx.Model(&models.InboundEvent{}).Where("id = ?", id).Updates(map[string]any{
			"status": models.InboundProcessed, "attempts": gorm.Expr("attempts + 1"), "error": "",
			"event_id": made.ID, "processed_at": made.CreatedAt,
		}).Error
	})
	if err != nil {
		return models.Published{}, fmt.Errorf("process inbound event: %w", err)
	}
	return published, nil
}

// FailInbound records that an inbound event could not be processed, with the reason, and counts it at its source.
func (s *Store) FailInbound(ctx context.Context, id, reason string) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		result := tx.Model(&models.InboundEvent{}).Where("id = ? AND status = ?", id, models.InboundPending).
			Updates(map[string]any{"status": models.InboundFailed, "attempts": gorm.Expr("attempts + 1"), "error": reason})
		if result.Error != nil || result.RowsAffected == 0 {
			return result.Error
		}
		return countFailed(tx, id, 1)
	})
	if err != nil {
		return fmt.Errorf("fail inbound event: %w", err)
	}
	return nil
}

// ReprocessInbound makes an inbound event pending again, whatever became of it.
func (s *Store) ReprocessInbound(ctx context.Context, id string) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var inbound models.InboundEvent
		if err := forUpdate(tx).Select("id", "status", "erased_at").Where("id = ?", id).Take(&inbound).Error; err != nil {
			return oneRow(err)
		}
		if inbound.ErasedAt != nil {
			return models.ErrErased
		}
		_, err := processAgain(tx, id, inbound.Status)
		return err
	})
	if err != nil {
		return fmt.Errorf("reprocess inbound event: %w", err)
	}
	return nil
}
