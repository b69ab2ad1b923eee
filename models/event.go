package models

import "time"

// EventTest is the type of the event that POST /api/webhooks/{id}/test sends.
const EventTest = "webhook.test"

// Event is something that happened, published once.
type Event struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is whose webhooks get the event; empty when it was broadcast: it went to every matching webhook.
	OwnerID string
	// Broadcast asks Publish for that. Without it, an event that names no owner is DefaultOwnerID's: one forgotten
	// field must not send what is one customer's to all.
	Broadcast bool   `gorm:"-"`
	Type      string `gorm:"column:event"`
	// Data is the publisher's JSON, byte for byte.
	Data []byte
	// IdempotencyKey is the publisher's name for the event, unique with OwnerID; nil for none.
	IdempotencyKey *string
	// WebhookIDs name the only webhooks that get the event, whatever event types they have; without any, all that match do.
	WebhookIDs WebhookIDs `gorm:"column:webhook_ids"`
	// OccurredAt is when it happened, as the publisher says; nil when that was not said. See Occurred.
	OccurredAt *time.Time
	// DeliverAt is when it is to be delivered; nil for at once. Delay asks Publish for a DeliverAt so long after now.
	DeliverAt *time.Time
	Delay     *time.Duration `gorm:"-"`
	// Metadata is sent along in headers.
	Metadata Metadata
	// TraceParent is the publisher's place in a distributed trace, as W3C Trace Context writes it; empty for none.
	TraceParent string `gorm:"column:traceparent"`
	// ErasedAt is when its data was erased; nil while it is there. The data is null then.
	ErasedAt *time.Time
	// InboundID is of the inbound event that it was made of; empty for none.
	InboundID string
	// DeliveryCount is how many webhooks matched.
	DeliveryCount int `gorm:"column:deliveries"`
	CreatedAt     time.Time
}

// Occurred is when the event happened: when it was published, unless the publisher says otherwise.
func (e Event) Occurred() time.Time {
	if e.OccurredAt != nil {
		return *e.OccurredAt
	}
	return e.CreatedAt
}

// MaxDelay is how long an event may wait for its delivery.
const MaxDelay = 30 * 24 * time.Hour

// Due is when an event is to be delivered that was published to be delivered later; nil for others.
func (e Event) Due() *time.Time {
	if e.DeliverAt == nil || !e.DeliverAt.After(e.CreatedAt) {
		return nil
	}
	return e.DeliverAt
}

// EventFilter narrows a list of events; its zero value narrows nothing.
type EventFilter struct {
	Types, OwnerIDs []string
	Since, Until    time.Time
	// WithData loads the data too, on pages of MaxPageBytes at most; without it Data is nil.
	WithData bool
}

// Published is the outcome of Publish.
type Published struct {
	// Event has the number of its deliveries.
	Event Event
	// Deliveries are the new deliveries: none for a duplicate, nor when there are more than Config.MostDeliveries.
	Deliveries []Delivery
	// Jobs, unless nil, are what the first attempts of Deliveries need to know, in the same order.
	Jobs []Job
	// Duplicate says that the idempotency key was used before with the same event, which Event then is.
	Duplicate bool
}
