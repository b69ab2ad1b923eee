package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// erasedReason is why deliveries are cancelled that waited when their event's data was erased, for people.
const erasedReason = "the event's data was erased"

// erasedData is what is left of an event's data.
const erasedData = "null"

// EraseEvent erases an event's data and metadata, the inbound event behind it, and what receivers have answered to its
// deliveries, in one transaction. Deliveries that wait are cancelled and returned, so that their workflows end too. Done
// again, it changes nothing.
//
// An attempt under way is recorded without its answer: each of the two transactions locks the delivery, and the second
// sees what the first did.
func (s *Store) EraseEvent(ctx context.Context, id string) (models.Event, []models.Delivery, error) {
	var event models.Event
	var waiting []models.Delivery
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if err := forUpdate(tx).Where("id = ?", id).Take(&event).Error; err != nil {
			return oneRow(err)
		}
		if event.ErasedAt != nil {
			return nil
		}
		now := s.Now()
		event.Data, event.Metadata, event.ErasedAt = []byte(erasedData), nil, &now
		if err := tx.Model(&event).Select("data", "metadata", "erased_at").Updates(&event).Error; err != nil {
			return err
		}
		waiting, err = s.eraseDeliveries(tx, event.ID)
		if err != nil || event.InboundID == "" {
			return err
		}
		// One that is to be processed again would have nothing to publish.
		return tx.Model(&models.InboundEvent{}).Where("id = ?", event.InboundID).UpdateColumns(map[string]any{
			"body": []byte{}, "headers": models.Headers{}, "erased_at": now,
			"status": gorm.Expr("CASE WHEN status = 'pending' THEN 'processed' ELSE status END"),
		}).Error
	})
	if err != nil {
		return models.Event{}, nil, fmt.Errorf("erase event: %w", err)
	}
	for _, delivery := range waiting {
		if err := s.freeReservations(ctx, delivery.ID); err != nil {
			return models.Event{}, nil, fmt.Errorf("erase event: %w", err)
		}
	}
	return event, waiting, nil
}

// eraseDeliveries erases what receivers have answered to an event's deliveries, and cancels those that wait.
func (s *Store) eraseDeliveries(tx *gorm.DB, eventID string) (waiting []models.Delivery, err error) {
	of := func() *gorm.DB { return tx.Model(&models.Delivery{}).Where("event_id = ?", eventID) }
	if err := of().UpdateColumn("erased", true).Error; err != nil {
		return nil, err
	}
	const waits = "(status IN ('pending', 'failed') OR status = 'permanently_failed' AND place IS NOT NULL)" // as in CancelDelivery
	if err := of().Where(waits).Find(&waiting).Error; err != nil {
		return nil, err
	}
	err = of().Where(waits).UpdateColumns(map[string]any{
		"status": models.StatusCancelled, "cancel_reason": erasedReason, "cancel_cause": models.CauseErased, "next_attempt_at": nil,
		"ended_at": endedSQL(s.Now()), "leased_until": leaseOfAttemptSQL, "place": nil,
	}).Error
	if err != nil {
		return nil, err
	}
	return waiting, eraseAnswers(tx.Where("delivery_id IN (SELECT id FROM deliveries WHERE event_id = ?)", eventID))
}

// eraseAnswers erases what attempts have of requests and answers.
func eraseAnswers(attempts *gorm.DB) error {
	return attempts.Model(&models.Attempt{}).
		UpdateColumns(map[string]any{"response_body": nil, "request_headers": nil, "response_headers": nil}).Error
}
