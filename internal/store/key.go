package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const (
	// keyShownLength is how much of a key lists show: enough to tell keys apart, too little to guess one.
	keyShownLength = len(models.KeyPrefix) + 6
	// keyUseInterval is how often the last use of a key is written.
	keyUseInterval = time.Minute
)

// CreateAPIKey makes a key for an owner, or an administrator's for an empty ownerID, which expires unless expiresAt is
// nil. It returns the key, which cannot be read again. An unknown owner is ErrNotFound.
func (s *Store) CreateAPIKey(ctx context.Context, ownerID string, role models.Role, expiresAt *time.Time) (models.APIKey, string, error) {
	token := models.NewAPIKeyToken()
	now := s.Now()
	key := models.APIKey{ID: typeid.New(typeid.KindKey, now), OwnerID: ownerID, Role: role, Prefix: token[:keyShownLength], Hash: models.HashAPIKey(token), CreatedAt: now}
	if expiresAt != nil {
		end := expiresAt.UTC().Truncate(time.Microsecond)
		key.ExpiresAt = &end
	}
	err := s.on(ctx).Transaction(func(tx *gorm.DB) error {
		if ownerID != "" {
			owner, err := lockOwner(tx, ownerID)
			if err != nil {
				return err
			}
			present := tx.Model(&models.APIKey{}).Where("owner_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", ownerID, now)
			if err := fewer(present, "keys", models.MaxOwnerKeys); err != nil {
				return err
			}
			key.Suspended = !owner.Active
		}
		return tx.Create(&key).Error
	})
	if err != nil {
		return models.APIKey{}, "", fmt.Errorf("create key: %w", err)
	}
	return key, token, nil
}

// APIKeyByHash returns the key with a HashAPIKey, or ErrNotFound when there is none or it was revoked, or ErrKeyExpired, or
// ErrOwnerSuspended. It is asked for each request and never from memory, so that a key that is revoked is refused everywhere
// at once.
func (s *Store) APIKeyByHash(ctx context.Context, hash []byte) (models.APIKey, error) {
	var key models.APIKey
	err := s.db.WithContext(ctx).Where("hash = ? AND revoked_at IS NULL", hash).Take(&key).Error
	if err != nil {
		return models.APIKey{}, fmt.Errorf("find key: %w", oneRow(err))
	}
	if key.Expired(s.Now()) {
		return models.APIKey{}, fmt.Errorf("find key: %w", models.ErrKeyExpired)
	}
	if key.Suspended {
		return models.APIKey{}, fmt.Errorf("find key: %w", models.ErrOwnerSuspended)
	}
	return key, nil
}

// APIKeys lists the keys of a scope that were not revoked, newest first.
func (s *Store) APIKeys(ctx context.Context, scope models.Scope) ([]models.APIKey, error) {
	var keys []models.APIKey
	q := visible(scope, s.db.WithContext(ctx)).Where("revoked_at IS NULL").Order("id DESC")
	if err := q.Find(&keys).Error; err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// OwnerAPIKeys lists an owner's keys that were not revoked, newest first, with the cursors of the pages
// beside. An unknown owner is ErrNotFound.
func (s *Store) OwnerAPIKeys(ctx context.Context, ownerID string, page models.Page) ([]models.APIKey, models.Cursors, error) {
	if _, err := s.Owner(ctx, ownerID); err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list keys: %w", err)
	}
	q := s.db.WithContext(ctx).Where("owner_id = ? AND revoked_at IS NULL", ownerID)
	keys, cursors, err := list(q, page, listing[models.APIKey]{kind: typeid.KindKey, id: func(k models.APIKey) string { return k.ID }})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list keys: %w", err)
	}
	return keys, cursors, nil
}

// AdminAPIKeys lists the administrators' keys that were not revoked, newest first, with the cursors of the pages beside.
func (s *Store) AdminAPIKeys(ctx context.Context, page models.Page) ([]models.APIKey, models.Cursors, error) {
	q := s.db.WithContext(ctx).Where("owner_id = '' AND revoked_at IS NULL")
	keys, cursors, err := list(q, page, listing[models.APIKey]{kind: typeid.KindKey, id: func(k models.APIKey) string { return k.ID }})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list administrators' keys: %w", err)
	}
	return keys, cursors, nil
}

// RevokeAPIKey ends a key. ErrNotFound when there is none or it was revoked before; ErrLastAdminKey when no
// administrator's key of role full would be left.
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
		result := tx.Model(&models.APIKey{}).Where("id = ? AND revoked_at IS NULL", id).Update("revoked_at", now)
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected == 0 {
			return models.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// adminRemains returns ErrLastAdminKey when revoking the key takes the last way in from the administrators.
// Only keys of role full are one. A key that expires does not stand in for one that does not: it would only put the same off.
func adminRemains(tx *gorm.DB, id string, now time.Time) error {
	var admins []models.APIKey
	// The locks, taken in one order, make revocations take turns: the second sees what the first left.
	q := forUpdate(tx).Where("owner_id = '' AND role = 'full' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", now)
	if err := q.Order("id").Find(&admins).Error; err != nil {
		return err
	}
	revoked := slices.IndexFunc(admins, func(k models.APIKey) bool { return k.ID == id })
	if revoked < 0 {
		return nil
	}
	expires := admins[revoked].ExpiresAt != nil
	for i, other := range admins {
		if i != revoked && (expires || other.ExpiresAt == nil) {
			return nil
		}
	}
	return models.ErrLastAdminKey
}

// APIKeysUsed notes when keys were last used, by their IDs. A row is written at most once a minute, however many
// processes a key is used in.
func (s *Store) APIKeysUsed(ctx context.Context, used map[string]time.Time) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// In one order, as everyone locks these rows.
		for _, id := range slices.Sorted(maps.Keys(used)) {
			at := used[id].UTC().Truncate(time.Microsecond)
			err := tx.Model(&models.APIKey{}).Where("id = ? AND (last_used_at IS NULL OR last_used_at <= ?)", id, at.Add(-keyUseInterval)).
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
