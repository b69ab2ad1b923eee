package models

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// KeyPrefix begins every API key, so that people and secret scanners recognise one.
const KeyPrefix = "prk_"

// APIKey lets its bearer use the API as one owner, or as an administrator. The key itself is not stored.
type APIKey struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is empty for an administrator's key.
	OwnerID string
	// Role says what the key is for.
	Role Role
	// Prefix is the beginning of the key.
	Prefix string
	// Hash is the SHA-256 of the key: it has 256 random bits, so that a slow hash would add nothing.
	Hash      []byte
	CreatedAt time.Time
	// ExpiresAt ends the key; nil when it has no end.
	ExpiresAt *time.Time
	// LastUsedAt is when the key was last used, to the minute; nil when it never was.
	LastUsedAt *time.Time
	RevokedAt  *time.Time
	// Suspended is true while its owner is suspended: the key is refused.
	Suspended bool
}

// Admin says whether the key is an administrator's.
func (k APIKey) Admin() bool { return k.OwnerID == "" }

// NewAPIKeyToken makes a random API key: the prefix and 32 random bytes.
func NewAPIKeyToken() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return KeyPrefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// HashAPIKey is what is stored of a key.
func HashAPIKey(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Expired says whether the key has ended at a time.
func (k APIKey) Expired(at time.Time) bool { return k.ExpiresAt != nil && !at.Before(*k.ExpiresAt) }
