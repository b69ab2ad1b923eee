package service

import (
	"context"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// maxFoundOwners is how many owners a search finds.
const maxFoundOwners = 50

// FindOwners returns the owner with an ID, or the newest fifty that have a text in their name or external_id.
func (s *Service) FindOwners(ctx context.Context, who Caller, text string) ([]models.Owner, error) {
	if err := onlyAdmins(who); err != nil {
		return nil, err
	}
	if len(text) > maxOwnerName || !storable(text) {
		return nil, invalid("search", "expected at most 200 bytes of UTF-8 without NUL")
	}
	if typeid.Check(typeid.KindOwner, text) == nil {
		owner, err := s.GetOwner(ctx, who, text)
		if err != nil {
			return nil, err
		}
		return []models.Owner{owner}, nil
	}
	return s.store.FindOwners(ctx, text, maxFoundOwners)
}

// OwnerUsages returns what owners have, by their IDs.
func (s *Service) OwnerUsages(ctx context.Context, who Caller, ids []string) (map[string]models.OwnerUsage, error) {
	if err := onlyAdmins(who); err != nil {
		return nil, err
	}
	return s.store.OwnerUsages(ctx, ids)
}

// Limits are what an owner may have by what its own keys make.
func (s *Service) Limits() Quotas { return s.quotas }

// StoredBytes is what the data of an owner's events and received webhooks come to, not older than the limit needs it. Without
// a limit nobody adds it up: that is false.
func (s *Service) StoredBytes(ctx context.Context, who Caller, ownerID string) (bytes int64, known bool, err error) {
	if err := onlyAdmins(who); err != nil || s.quotas.StoredBytes <= 0 {
		return 0, false, err
	}
	sum, err := s.stored(ctx, ownerID)
	if err != nil {
		return 0, false, err
	}
	bytes, _ = sum.get()
	return bytes, true, nil
}
