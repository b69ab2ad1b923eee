package service

import (
	"context"
	"slices"

	"github.com/postrider/postrider/models"
)

// Caller is who asks: an owner, or an administrator when OwnerID is empty.
type Caller struct {
	OwnerID string
	// KeyID names the key that was used, and Role says what it is for.
	KeyID string
	Role  models.Role
	// SessionID names the session of who has signed in to the console; empty for who sends a key with the call.
	SessionID string
	// As is the owner that an administrator has opened the console as: the caller sees and does what the owner may, and the
	// audit trail says that it was an administrator. Nil for everyone else.
	As *models.Owner
	// Portal says that one of the owner's people asks, in the portal, who may do what the role and the Capabilities allow.
	Portal       bool
	Capabilities []models.Capability
	// Address is where the call comes from, and Fields returns the names of the fields that it sets, sorted. Both are for
	// the audit trail, and may be left out.
	Address string
	Fields  func() []string
}

// Admin says that an administrator asks.
func (c Caller) Admin() bool { return c.OwnerID == "" }

// Can says whether the caller may do what the role does not tell: everyone but people in the portal may.
func (c Caller) Can(capability models.Capability) bool {
	return !c.Portal || slices.Contains(c.Capabilities, capability)
}

// seesPayloads says whether the caller sees the data of events, and what receivers answered.
func (c Caller) seesPayloads() bool { return c.Can(models.CapabilityPayloads) }

// scope is what the caller may see.
func (c Caller) scope() models.Scope { return models.Scope{OwnerID: c.OwnerID} }

// adminKeyID is the KeyID of an administrator whose key is configured.
const adminKeyID = "admin key"

// Authenticate returns the caller that a key belongs to. A key that is not valid is models.ErrNotFound, one that has
// ended models.ErrKeyExpired, and one whose owner is suspended models.ErrOwnerSuspended.
func (s *Service) Authenticate(ctx context.Context, key string) (Caller, error) {
	return s.callerWithHash(ctx, models.HashAPIKey(key))
}

// onlyAdmins refuses owners.
func onlyAdmins(who Caller) error {
	if !who.Admin() {
		return ErrAdminsOnly
	}
	return nil
}
