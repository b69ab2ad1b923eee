package service

import (
	"context"
	"crypto/subtle"

	"github.com/postrider/postrider/models"
)

// Caller is who asks: an owner, or an administrator when OwnerID is empty.
type Caller struct {
	OwnerID string
	// KeyID names the key that was used, and Role says what it is for.
	KeyID string
	Role  models.Role
	// Address is where the call comes from, and Fields returns the names of the fields that it sets, sorted. Both are for
	// the audit trail, and may be left out.
	Address string
	Fields  func() []string
}

// Admin says that an administrator asks.
func (c Caller) Admin() bool { return c.OwnerID == "" }

// scope is what the caller may see.
func (c Caller) scope() models.Scope { return models.Scope{OwnerID: c.OwnerID} }

// adminKeyID is the KeyID of an administrator whose key is configured.
const adminKeyID = "admin key"

// Authenticate returns the caller that a key belongs to. A key that is not valid is models.ErrNotFound, one that has
// ended models.ErrKeyExpired, and one whose owner is suspended models.ErrOwnerSuspended.
func (s *Service) Authenticate(ctx context.Context, key string) (Caller, error) {
	if s.adminKeyHash != nil && subtle.ConstantTimeCompare(models.HashAPIKey(key), s.adminKeyHash) == 1 {
		return Caller{KeyID: adminKeyID, Role: models.RoleFull}, nil
	}
	found, err := s.store.APIKeyByToken(ctx, key)
	if err != nil {
		return Caller{}, err
	}
	if s.keyUsed != nil {
		s.keyUsed(found.ID)
	}
	return Caller{OwnerID: found.OwnerID, KeyID: found.ID, Role: found.Role}, nil
}

// onlyAdmins refuses owners.
func onlyAdmins(who Caller) error {
	if !who.Admin() {
		return ErrAdminsOnly
	}
	return nil
}
