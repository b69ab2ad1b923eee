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
	// KeyHash is the hash of the key that it was begun with and ends with.
	KeyHash []byte
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
