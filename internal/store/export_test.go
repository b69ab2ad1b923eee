package store

import (
	"context"

	"github.com/postrider/postrider/models"
)

// Entities lists every entity, for the test that compares them with the schema.
func Entities() []any {
	return []any{
		&models.Owner{}, &models.APIKey{}, &models.Webhook{}, &webhookPattern{}, &models.Event{}, &models.Delivery{}, &deliveryWord{}, &models.Attempt{},
		&models.Source{}, &models.Rejection{}, &models.InboundEvent{}, &models.WebhookHealth{}, &webhookTimetable{}, &webhookQueue{},
		&models.Recovery{}, &recoveryDelivery{}, &models.AuditEntry{}, &models.IdempotentCall{}, &models.EventType{},
		&models.Statistics{}, &models.StatisticsState{}, &models.StatisticsLate{}, &models.Session{},
	}
}

// PublishTogether publishes events in one transaction.
func PublishTogether(ctx context.Context, s *Store, events []models.Event) error {
	for i := range events {
		address(&events[i])
	}
	_, err := s.publishBatch(ctx, events)
	return err
}

// RecordTogether records successes in one transaction.
func RecordTogether(ctx context.Context, s *Store, outcomes []models.Outcome) error {
	_, err := s.recordBatch(ctx, outcomes)
	return err
}

// SharedDeliveries is sharedDeliveries.
const SharedDeliveries = sharedDeliveries

// SearchAtMost has a search look at so many deliveries for one page.
func SearchAtMost(s *Store, deliveries int) { s.mostSearched = deliveries }
