package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// InboundStatus says how far an inbound event is.
type InboundStatus string

// The statuses of inbound events.
const (
	InboundPending   InboundStatus = "pending"
	InboundProcessed InboundStatus = "processed"
	InboundFailed    InboundStatus = "failed"
)

// InboundEvent is one webhook received from a provider, stored once.
type InboundEvent struct {
	ID       string `gorm:"primaryKey"`
	SourceID string
	OwnerID  string
	// ProviderID is the provider's ID of the event, or a hash of the body: with BodyHash, unique for a source.
	ProviderID string
	// BodyHash is the same for all copies of the event; empty in rows from before there was one.
	BodyHash string
	// Conflict says that the source had sent another body under the same ID before.
	Conflict bool
	// Type is the provider's.
	Type string
	// Headers are the request's without signatures and secrets.
	Headers Headers
	Body    []byte
	Status  InboundStatus
	// Attempts is how often it was processed, Error why that failed the last time.
	Attempts int
	Error    string
	// EventID is the event that was published of it; empty until then.
	EventID     string
	ProcessedAt *time.Time
	CreatedAt   time.Time
}

// InboundEvent returns one inbound event, or ErrNotFound.
func (s *Store) InboundEvent(ctx context.Context, scope Scope, id string) (InboundEvent, error) {
	var inbound InboundEvent
	if err := visible(scope, s.db.WithContext(ctx)).Where("id = ?", id).Take(&inbound).Error; err != nil {
		return InboundEvent{}, fmt.Errorf("load inbound event: %w", oneRow(err))
	}
	return inbound, nil
}

// InboundFilter narrows a list of inbound events; its zero value narrows nothing.
type InboundFilter struct {
	SourceID     string
	Type         string
	Status       InboundStatus
	Since, Until time.Time
	// WithBody loads the bodies too, on pages of MaxPageBytes at most; without it Body is nil.
	WithBody bool
}

// InboundEvents lists inbound events without their headers, newest first, with the cursor of the next page.
func (s *Store) InboundEvents(ctx context.Context, scope Scope, filter InboundFilter, page Page) ([]InboundEvent, string, error) {
	q := visible(scope, s.db.WithContext(ctx)).Omit("body", "headers")
	for _, condition := range []struct{ column, value string }{
		{"source_id", filter.SourceID}, {"type", filter.Type}, {"status", string(filter.Status)},
	} {
		if condition.value != "" {
			q = q.Where(condition.column+" = ?", condition.value)
		}
	}
	q, err := onPage(page, between(q, KindInbound, filter.Since, filter.Until), KindInbound)
	if err != nil {
		return nil, "", err
	}
	var inbound []InboundEvent
	if err := q.Find(&inbound).Error; err != nil {
		return nil, "", fmt.Errorf("list inbound events: %w", err)
	}
	id := func(e InboundEvent) string { return e.ID }
	inbound, next := cut(page, inbound, id)
	if !filter.WithBody {
		return inbound, next, nil
	}
	bodies, err := s.payloads(ctx, &InboundEvent{}, "body", idsOf(inbound, id))
	if err != nil {
		return nil, "", fmt.Errorf("list inbound events: %w", err)
	}
	if fit := len(bodies); fit < len(inbound) {
		inbound, next = cutAt(inbound, fit, id)
	}
	for i := range inbound {
		inbound[i].Body = bodies[i]
	}
	return inbound, next, nil
}

// PendingInbound returns inbound events that were received at or before a time and are not processed, oldest
// first, from behind the one with the ID after: those whose workflow may not have been started.
func (s *Store) PendingInbound(ctx context.Context, receivedBy time.Time, after string, limit int) ([]InboundEvent, error) {
	var inbound []InboundEvent
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
func (s *Store) ProcessInbound(ctx context.Context, id string, event func(InboundEvent, Source) (Event, error)) (Published, error) {
	var published Published
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var inbound InboundEvent
		if err := forUpdate(tx).Where("id = ?", id).Take(&inbound).Error; err != nil {
			return oneRow(err)
		}
		if inbound.Status == InboundProcessed {
			published.Duplicate = true
			return oneRow(tx.Where("id = ?", inbound.EventID).Take(&published.Event).Error)
		}
		var source Source
		if err := tx.Where("id = ?", inbound.SourceID).Take(&source).Error; err != nil {
			return oneRow(err)
		}
		made, err := event(inbound, source)
		if err != nil {
			return err
		}
		now := s.Now()
		address(&made)
		made.ID, made.CreatedAt = NewID(KindEvent, now), now
		deliveries, err := insertDeliveries(tx, made, "", nil)
		if err != nil {
			return err
		}
		made.DeliveryCount = len(deliveries)
		if err := tx.Create(&made).Error; err != nil {
			return err
		}
		published = Published{Event: made, Deliveries: deliveries}
		return tx.Model(&InboundEvent{}).Where("id = ?", id).Updates(map[string]any{
			"status": InboundProcessed, "attempts": gorm.Expr("attempts + 1"), "error": "",
			"event_id": made.ID, "processed_at": now,
		}).Error
	})
	if err != nil {
		return Published{}, fmt.Errorf("process inbound event: %w", err)
	}
	return published, nil
}

// FailInbound records that an inbound event could not be processed, with the reason, and counts it at its source.
func (s *Store) FailInbound(ctx context.Context, id, reason string) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		result := tx.Model(&InboundEvent{}).Where("id = ? AND status = ?", id, InboundPending).
			Updates(map[string]any{"status": InboundFailed, "attempts": gorm.Expr("attempts + 1"), "error": reason})
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
		var inbound InboundEvent
		if err := forUpdate(tx).Select("id", "status").Where("id = ?", id).Take(&inbound).Error; err != nil {
			return oneRow(err)
		}
		_, err := processAgain(tx, id, inbound.Status)
		return err
	})
	if err != nil {
		return fmt.Errorf("reprocess inbound event: %w", err)
	}
	return nil
}
