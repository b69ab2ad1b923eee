package models

// Job is all that one attempt needs to know.
type Job struct {
	Delivery Delivery `gorm:"embedded;embeddedPrefix:d_"`
	Event    Event    `gorm:"embedded;embeddedPrefix:e_"`
	Webhook  Webhook  `gorm:"embedded;embeddedPrefix:w_"`
	// Health is the webhook's; its zero value when it was never called.
	Health WebhookHealth `gorm:"embedded;embeddedPrefix:h_"`
	// Behind is the delivery that stands first in the queue of an ordered webhook; empty when it is this one.
	Behind string
	// Recorded is the attempt that was asked for when the log has it already; its ID is empty otherwise.
	Recorded Attempt `gorm:"embedded;embeddedPrefix:a_"`
}
