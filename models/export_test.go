package models

import "context"

// Entities lists every entity, for the test that compares them with the schema.
func Entities() []any {
	return []any{
		&Owner{}, &APIKey{}, &Webhook{}, &webhookPattern{}, &Event{}, &Delivery{}, &Attempt{},
		&Source{}, &Rejection{}, &InboundEvent{}, &WebhookHealth{}, &webhookSlot{},
		&Recovery{}, &recoveryDelivery{}, &AuditEntry{},
	}
}

// PublishTogether publishes events in one transaction.
func PublishTogether(ctx context.Context, s *Store, events []Event) error {
	for i := range events {
		address(&events[i])
	}
	_, err := s.publishBatch(ctx, events)
	return err
}

// RecordTogether records successes in one transaction.
func RecordTogether(ctx context.Context, s *Store, outcomes []Outcome) error {
	_, err := s.recordBatch(ctx, outcomes)
	return err
}

// SharedDeliveries is sharedDeliveries.
const SharedDeliveries = sharedDeliveries
