package models

import "time"

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
	// ErasedAt is when its body and headers were erased; nil while they are there.
	ErasedAt  *time.Time
	CreatedAt time.Time
}

// InboundFilter narrows a list of inbound events; its zero value narrows nothing.
type InboundFilter struct {
	SourceIDs, Types []string
	Statuses         []InboundStatus
	Since, Until     time.Time
	// WithBody loads the bodies too, on pages of MaxPageBytes at most; without it Body is nil.
	WithBody bool
}
