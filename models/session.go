package models

import (
	"crypto/rand"
	"encoding/base64"
	"time"
)

// Session is somebody who is signed in to the console. It begins with a key, or with a link that signs in once.
type Session struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is whose things are shown; empty for an administrator's session.
	OwnerID string
	Role    Role
	// KeyHash is the hash of the key that it was begun with and ends with; nil for one of the portal, which has no key.
	KeyHash []byte
	// Portal says that it is of one of the owner's people in the portal, who may do what the role and the Capabilities allow.
	Portal       bool
	Capabilities []Capability `gorm:"serializer:json"`
	// LinkHash is the hash of the link that begins it, until LinkUntil; nil when it was begun with a key.
	LinkHash  []byte
	LinkUntil *time.Time
	// TokenHash is the hash of what the browser keeps; nil until the link is used.
	TokenHash []byte
	CreatedAt time.Time
	ExpiresAt time.Time
	// EndedAt is when it was signed out; nil while it was not.
	EndedAt *time.Time
}

// NewSessionToken makes what a browser or a link proves a session with: 32 random bytes. HashAPIKey is what is stored of it.
func NewSessionToken() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Capability is something that people in the portal may do, beside looking at what belongs to their owner.
type Capability string

// The capabilities.
const (
	// CapabilityCreate makes, changes and deletes webhooks.
	CapabilityCreate Capability = "create"
	// CapabilityPayloads sees the data of events, and what receivers answered.
	CapabilityPayloads Capability = "see_payloads"
	// CapabilityResend resends, cancels and recovers deliveries, and tests webhooks.
	CapabilityResend Capability = "resend"
)

// Capabilities lists all.
func Capabilities() []Capability {
	return []Capability{CapabilityCreate, CapabilityPayloads, CapabilityResend}
}
