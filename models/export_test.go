package models

// Entities lists every entity, for the test that compares them with the schema.
func Entities() []any {
	return []any{
		&Owner{}, &APIKey{}, &Webhook{}, &webhookPattern{}, &Event{}, &Delivery{}, &Attempt{},
		&Source{}, &Rejection{}, &InboundEvent{}, &WebhookHealth{}, &webhookSlot{},
		&Recovery{}, &recoveryDelivery{},
	}
}

// PatternsMatching is patternsMatching.
func PatternsMatching(eventType string) []string { return patternsMatching(eventType) }
