package models

import "time"

// ActionSignInFailed is the action of requests with a key that is not valid. All other actions are operations of the
// API, by their IDs, and commands.
const ActionSignInFailed = "sign-in-failed"

// AuditEntry says that someone did something. It names what was changed, and never its value.
type AuditEntry struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is whose thing it was about; empty for the installation's.
	OwnerID string
	// Actor is the ID of the key that was used, or another name of who it was; empty when that is not known.
	Actor string
	// Admin says that it was an administrator.
	Admin  bool
	Action string
	// ObjectID is what it was about; empty for nothing in particular.
	ObjectID string
	// Fields are the names of the fields that the request set.
	Fields []string `gorm:"serializer:json"`
	// Address is where it came from; empty when that is not known, or was one of too many.
	Address string
	// Count is how often it happened: above 1 only for what is counted by the minute.
	Count     int64
	CreatedAt time.Time
}

// AuditFilter narrows the trail; its zero value narrows nothing.
type AuditFilter struct {
	Actors, Actions []string
	Since, Until    time.Time
}
