package models

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

// KeyPrefix begins every API key, so that people and secret scanners recognise one.
const KeyPrefix = "prk_"

// shownPrefix is how much of a key lists show: enough to tell keys apart, too little to guess one.
const shownPrefix = len(KeyPrefix) + 6

// KeyUseInterval is how often the last use of a key is written.
const KeyUseInterval = time.Minute

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
	// ExpiresAt ends the key; nil when it has no end.
	ExpiresAt *time.Time
	// LastUsedAt is when the key was last used, to the minute; nil when it never was.
	LastUsedAt *time.Time
	RevokedAt  *time.Time
	// Suspended is true while its owner is suspended: the key is refused.
	Suspended bool
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

// Expired says whether the key has ended at a time.
func (k APIKey) Expired(at time.Time) bool { return k.ExpiresAt != nil && !at.Before(*k.ExpiresAt) }

// CreateAPIKey makes a key without an end for an owner, or an administrator's for an empty ownerID. It
// returns the key, which cannot be read again. An unknown owner is ErrNotFound.
func (s *Store) CreateAPIKey(ctx context.Context, ownerID string) (APIKey, string, error) {
	return s.CreateAPIKeyUntil(ctx, ownerID, nil)
}

// CreateAPIKeyUntil is CreateAPIKey for a key that expires, unless expiresAt is nil.
func (s *Store) CreateAPIKeyUntil(ctx context.Context, ownerID string, expiresAt *time.Time) (APIKey, string, error) {
	token := NewAPIKeyToken()
	now := s.Now()
	key := APIKey{ID: NewID(KindKey, now), OwnerID: ownerID, Prefix: token[:shownPrefix], Hash: HashAPIKey(token), CreatedAt: now}
	if expiresAt != nil {
		end := expiresAt.UTC().Truncate(time.Microsecond)
		key.ExpiresAt = &end
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if ownerID != "" {
			owner, err := lockOwner(tx, ownerID)
			if err != nil {
				return err
			}
			present := tx.Model(&APIKey{}).Where("owner_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", ownerID, now)
			if err := fewer(present, "keys", MaxOwnerKeys); err != nil {
				return err
			}
			key.Suspended = !owner.Active
		}
		return tx.Create(&key).Error
	})
	if err != nil {
		return APIKey{}, "", fmt.Errorf("create key: %w", err)
	}
	return key, token, nil
}

// APIKeyByToken returns the key, or ErrNotFound when there is none or it was revoked, or ErrKeyExpired, or
// ErrOwnerSuspended. It is
// asked for each request and never from memory, so that a key that is revoked is refused everywhere at once.
func (s *Store) APIKeyByToken(ctx context.Context, token string) (APIKey, error) {
	var key APIKey
	err := s.db.WithContext(ctx).Where("hash = ? AND revoked_at IS NULL", HashAPIKey(token)).Take(&key).Error
	if err != nil {
		return APIKey{}, fmt.Errorf("find key: %w", oneRow(err))
	}
	if key.Expired(s.Now()) {
		return APIKey{}, fmt.Errorf("find key: %w", ErrKeyExpired)
	}
	if key.Suspended {
		return APIKey{}, fmt.Errorf("find key: %w", ErrOwnerSuspended)
	}
	return key, nil
}

// APIKeys lists the keys of a scope that were not revoked, newest first.
func (s *Store) APIKeys(ctx context.Context, scope Scope) ([]APIKey, error) {
	var keys []APIKey
	q := visible(scope, s.db.WithContext(ctx)).Where("revoked_at IS NULL").Order("id DESC")
	if err := q.Find(&keys).Error; err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// OwnerAPIKeys lists an owner's keys that were not revoked, newest first, with the cursor of the next page.
// An unknown owner is ErrNotFound.
func (s *Store) OwnerAPIKeys(ctx context.Context, ownerID string, page Page) ([]APIKey, string, error) {
	if _, err := s.Owner(ctx, ownerID); err != nil {
		return nil, "", fmt.Errorf("list keys: %w", err)
	}
	q, err := onPage(page, s.db.WithContext(ctx).Where("owner_id = ? AND revoked_at IS NULL", ownerID), KindKey)
	if err != nil {
		return nil, "", err
	}
	var keys []APIKey
	if err := q.Find(&keys).Error; err != nil {
		return nil, "", fmt.Errorf("list keys: %w", err)
	}
	keys, next := cut(page, keys, func(k APIKey) string { return k.ID })
	return keys, next, nil
}

// RevokeAPIKey ends a key. ErrNotFound when there is none or it was revoked before; ErrLastAdminKey when no
// administrator's key would be left.
func (s *Store) RevokeAPIKey(ctx context.Context, id string) error {
	return s.revoke(ctx, id, adminRemains)
}

// RevokeAnyAPIKey is RevokeAPIKey for an installation whose administrator has a key outside the database: it
// ends the last one in the database too.
func (s *Store) RevokeAnyAPIKey(ctx context.Context, id string) error {
	return s.revoke(ctx, id, func(*gorm.DB, string, time.Time) error { return nil })
}

func (s *Store) revoke(ctx context.Context, id string, allowed func(tx *gorm.DB, id string, now time.Time) error) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		now := s.Now()
		if err := allowed(tx, id, now); err != nil {
			return err
		}
		result := tx.Model(&APIKey{}).Where("id = ? AND revoked_at IS NULL", id).Update("revoked_at", now)
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected == 0 {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// adminRemains returns ErrLastAdminKey when revoking the key takes the last way in from the administrators.
// A key that expires does not stand in for one that does not: it would only put the same off.
func adminRemains(tx *gorm.DB, id string, now time.Time) error {
	var admins []APIKey
	// The locks, taken in one order, make revocations take turns: the second sees what the first left.
	q := forUpdate(tx).Where("owner_id = '' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", now)
	if err := q.Order("id").Find(&admins).Error; err != nil {
		return err
	}
	revoked := slices.IndexFunc(admins, func(k APIKey) bool { return k.ID == id })
	if revoked < 0 {
		return nil
	}
	expires := admins[revoked].ExpiresAt != nil
	for i, other := range admins {
		if i != revoked && (expires || other.ExpiresAt == nil) {
			return nil
		}
	}
	return ErrLastAdminKey
}

// APIKeysUsed notes when keys were last used, by their IDs. A row is written at most once a minute, however many
// processes a key is used in.
func (s *Store) APIKeysUsed(ctx context.Context, used map[string]time.Time) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// In one order, as everyone locks these rows.
		for _, id := range slices.Sorted(maps.Keys(used)) {
			at := used[id].UTC().Truncate(time.Microsecond)
			err := tx.Model(&APIKey{}).Where("id = ? AND (last_used_at IS NULL OR last_used_at <= ?)", id, at.Add(-KeyUseInterval)).
				Update("last_used_at", at).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note the use of keys: %w", err)
	}
	return nil
}
