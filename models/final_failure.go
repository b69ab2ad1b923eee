package models

// FinalFailure is what an owner is told of a delivery that failed for good.
type FinalFailure struct {
	Delivery Delivery
	Webhook  Webhook
	Owner    Owner
	// Health is the webhook's.
	Health WebhookHealth
	// First and Last are the same when there was one attempt.
	First, Last Attempt
}
