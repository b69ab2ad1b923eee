package models

// FinalFailure is what the notice of a delivery that failed for good says.
type FinalFailure struct {
	Delivery Delivery
	Webhook  Webhook
	Owner    Owner
	// Health is the webhook's.
	Health WebhookHealth
	// First and Last are the same when there was one attempt.
	First, Last Attempt
}
