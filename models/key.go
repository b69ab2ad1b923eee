package models

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// KeyPrefix begins every API key, so that people and secret scanners recognise one.
const KeyPrefix = "prk_"

// shownPrefix is how much of a key lists show: enough to tell keys apart, too little to guess one.
const shownPrefix = len(KeyPrefix) + 6

// APIKey lets its bearer use the API as one owner, or as an administrator. The key itself is not stored.
type APIKey struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is empty for an administrator's key.
	OwnerID string
	// Prefix is the beginning of the key.
	Prefix string
	// Hash is the SHA-256 of the key: it has 256 random bits, so that a slow hash would add nothing.
	Hash      []byte
	CreatedAt time.Time
	RevokedAt *time.Time
}

// TableName is the table of API keys.
func (APIKey) TableName() string { return "api_keys" }

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

// CreateAPIKey makes a key for an owner, or an administrator's for an empty ownerID. It returns the key,
// which cannot be read again. An unknown owner is ErrNotFound.
func (s *Store) CreateAPIKey(ctx context.Context, ownerID string) (APIKey, string, error) {
	if ownerID != "" {
		if _, err := s.Owner(ctx, ownerID); err != nil {
			return APIKey{}, "", fmt.Errorf("create key: %w", err)
		}
	}
	token := NewAPIKeyToken()
	now := s.Now()
	key := APIKey{ID: NewID(KindKey, now), OwnerID: ownerID, Prefix: token[:shownPrefix], Hash: HashAPIKey(token), CreatedAt: now}
	if err := s.db.WithContext(ctx).Create(&key).Error; err != nil {
		return APIKey{}, "", fmt.Errorf("create key: %w", err)
	}
	return key, token, nil
}

// APIKeyByToken returns the key that was not revoked, or ErrNotFound.
func (s *Store) APIKeyByToken(ctx context.Context, token string) (APIKey, error) {
	var key APIKey
	err := s.db.WithContext(ctx).Where("hash = ? AND revoked_at IS NULL", HashAPIKey(token)).Take(&key).Error
	if err != nil {
		return APIKey{}, fmt.Errorf("find key: %w", oneRow(err))
	}
	return key, nil
}

// APIKeys lists the keys of a scope that were not revoked, newest first.
func (s *Store) APIKeys(ctx context.Context, scope Scope) ([]APIKey, error) {
	var keys []APIKey
	q := scope.apply(s.db.WithContext(ctx)).Where("revoked_at IS NULL").Order("id DESC")
	if err := q.Find(&keys).Error; err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// RevokeAPIKey ends a key. ErrNotFound when there is none or it was revoked before.
func (s *Store) RevokeAPIKey(ctx context.Context, id string) error {
	result := s.db.WithContext(ctx).Model(&APIKey{}).
		Where("id = ? AND revoked_at IS NULL", id).Update("revoked_at", s.Now())
	if result.Error != nil {
		return fmt.Errorf("revoke key: %w", result.Error)
	}
	if result.RowsAffected == 0 {
		return fmt.Errorf("revoke key: %w", ErrNotFound)
	}
	return nil
}
