package service

import (
	"context"
	"errors"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type keyStore interface {
	APIKeyByHash(ctx context.Context, hash []byte) (models.APIKey, error)
	CreateAPIKey(ctx context.Context, ownerID string, role models.Role, expiresAt *time.Time) (models.APIKey, string, error)
	AdminAPIKeys(ctx context.Context, page models.Page) ([]models.APIKey, models.Cursors, error)
	OwnerAPIKeys(ctx context.Context, ownerID string, page models.Page) ([]models.APIKey, models.Cursors, error)
	RevokeAPIKey(ctx context.Context, id string) error
	RevokeAnyAPIKey(ctx context.Context, id string) error
}

// maxKeyLife bounds how long a key with an end may live: ten years.
const maxKeyLife = 10 * 365 * 24 * time.Hour

// KeyEnd says when a new key ends: after a time, at a time or, with neither, never.
type KeyEnd struct {
	ExpiresIn Duration
	ExpiresAt *time.Time
}

// at returns the time; nil for never.
func (e KeyEnd) at(now time.Time) (*time.Time, error) {
	switch {
	case e.ExpiresIn.Set && e.ExpiresAt != nil:
		return nil, invalid("expires_at", "expected either expires_in or expires_at")
	case e.ExpiresAt != nil:
		if life := e.ExpiresAt.Sub(now); life <= 0 || life > maxKeyLife {
			return nil, invalid("expires_at", "expected a time in the next ten years")
		}
		return e.ExpiresAt, nil
	case e.ExpiresIn.Set:
		var wrong faults
		end := now.Add(wrong.duration("expires_in", e.ExpiresIn, time.Second, maxKeyLife))
		return &end, wrong.err()
	}
	return nil, nil //nolint:nilnil // no end is no error
}

// CreateKey makes a key for an owner, of role full when the role is empty. It returns the key's text too, which is shown once.
func (s *Service) CreateKey(ctx context.Context, who Caller, owner string, role models.Role, end KeyEnd) (key models.APIKey, text string, err error) {
	key, err = loadOwner(ctx, s, who, owner, func(ctx context.Context, ownerID string) (models.APIKey, error) {
		role, err := checkRole(role)
		expiresAt, endErr := end.at(s.now())
		if err := errors.Join(err, endErr); err != nil {
			return models.APIKey{}, err
		}
		key, text, err = s.store.CreateAPIKey(ctx, ownerID, role, expiresAt)
		return key, err
	})
	if err == nil {
		s.audit(ctx, who, "create-key", key.ID, key.OwnerID)
	}
	return key, text, err
}

// ListKeys returns a page of an owner's keys with the cursors of those beside.
func (s *Service) ListKeys(ctx context.Context, who Caller, owner string, page models.Page) (keys []models.APIKey, beside models.Cursors, err error) {
	keys, err = loadOwner(ctx, s, who, owner, func(ctx context.Context, ownerID string) ([]models.APIKey, error) {
		keys, beside, err = s.store.OwnerAPIKeys(ctx, ownerID, page)
		return keys, err
	})
	return keys, beside, err
}

// ListAdminKeys returns a page of the administrators' keys with the cursors of those beside. The configured key is not among
// them.
func (s *Service) ListAdminKeys(ctx context.Context, who Caller, page models.Page) ([]models.APIKey, models.Cursors, error) {
	if err := onlyAdmins(who); err != nil {
		return nil, models.Cursors{}, err
	}
	return s.store.AdminAPIKeys(ctx, page)
}

// DeleteKey ends a key, but for the last one that administrators have: that is models.ErrLastAdminKey.
func (s *Service) DeleteKey(ctx context.Context, who Caller, id string) error {
	revoke := s.store.RevokeAPIKey
	if s.adminKeyHash != nil {
		revoke = s.store.RevokeAnyAPIKey // the configured key is left
	}
	_, err := loadForAdmin(ctx, who, typeid.KindKey, id, func(ctx context.Context, id string) (struct{}, error) {
		return struct{}{}, revoke(ctx, id)
	})
	if err == nil {
		s.audit(ctx, who, "delete-key", id, "")
	}
	return err
}
