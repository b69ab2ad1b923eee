package models

import "time"

// DefaultOwnerID owns what an administrator makes without naming an owner. The first migration makes it.
const DefaultOwnerID = "own_00000000000000000000000000"

// Owner owns webhooks, and is notified when a delivery fails for good.
type Owner struct {
	ID   string `gorm:"primaryKey"`
	Name string
	// Email receives a message about each final failure; empty for none.
	Email string
	// SlackURL is a Slack-compatible incoming webhook that receives the same; empty for none.
	SlackURL string
	// Active is false while the owner is suspended. Its webhooks, sources and keys know that too: see suspend.
	Active bool
	// ExternalID is the publisher's own name for it, unique among owners that were not deleted; nil for none.
	ExternalID *string
	Metadata   Metadata
	CreatedAt  time.Time
	UpdatedAt  time.Time `gorm:"autoUpdateTime:false"`
	// DeletedAt hides the owner; the row stays until all that it had is gone.
	DeletedAt *time.Time
}
