package models

import "time"

// Webhook is one owner's subscription of a URL to event types.
type Webhook struct {
	ID      string `gorm:"primaryKey"`
	OwnerID string
	// ExternalID is the owner's own name for it, unique among the owner's webhooks that were not deleted; nil for none.
	ExternalID *string
	Metadata   Metadata
	URL        string `gorm:"column:url"`
	// Host is the URL's host and port: what is shown where the whole URL might tell too much.
	Host        string
	Description string
	// Events are patterns: event types, prefixes such as order.*, or *.
	Events []string `gorm:"serializer:json"`
	// Filter says in CEL which events the webhook gets, and Transform what is sent instead of their data; empty for all, and for
	// the data. See package rules.
	Filter, Transform string
	// Headers names what is sent with every request, beside Postrider's own; SetHeaders changes them. Their values
	// are in SealedHeaders, which the store's OpenHeaders reads.
	Headers       Headers
	SealedHeaders []byte
	// Active is false while the webhook is paused or disabled: it gets no deliveries.
	Active bool
	// Suspended is true while its owner is suspended: it gets nothing, whatever Active says.
	Suspended bool
	// DisabledReason says why Postrider itself made the webhook inactive; empty otherwise.
	DisabledReason string
	// RetrySchedule overrides the installation's schedule unless it is nil.
	RetrySchedule RetrySchedule
	// RateLimit is how many requests a second the webhook gets at most; nil for no limit.
	RateLimit *float64
	Queueing
	// Sending says how its requests are made.
	Sending `gorm:"embedded"`
	// Secret, PreviousSecret and EarlierSecrets are sealed by the keyring. The previous one signs too until
	// PreviousSecretUntil, and each of the earlier ones until an end of its own.
	Secret              []byte
	PreviousSecret      []byte
	PreviousSecretUntil *time.Time
	EarlierSecrets      []byte
	CreatedAt           time.Time
	UpdatedAt           time.Time `gorm:"autoUpdateTime:false"`
	// DeletedAt hides the webhook; the row stays for the log of its deliveries.
	DeletedAt *time.Time
}

// WebhookFilter narrows a list of webhooks; its zero value narrows nothing.
type WebhookFilter struct {
	OwnerIDs, ExternalIDs []string
	Active                *bool
}

// SameRateLimit says that two limits, of which none may be set, are the same.
func SameRateLimit(a, b *float64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// Releases says that a change from an earlier state releases deliveries that wait for the webhook: they may be attempted
// sooner now. With retries, that includes those that wait for their next scheduled attempt.
func (w Webhook) Releases(before Webhook) (releases, retries bool) {
	retries = w.URL != before.URL
	return w.Active && (retries || !before.Active || before.Ordered && !w.Ordered || !SameRateLimit(w.RateLimit, before.RateLimit)), retries
}
