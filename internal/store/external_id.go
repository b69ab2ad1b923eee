package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// OwnerNamed returns the owner with an ID or an external_id that was not deleted, or ErrNotFound.
func (s *Store) OwnerNamed(ctx context.Context, name string) (models.Owner, error) {
	if typeid.Check(typeid.KindOwner, name) == nil {
		return s.Owner(ctx, name)
	}
	var owner models.Owner
	if err := s.on(ctx).Where("external_id = ? AND deleted_at IS NULL", name).Take(&owner).Error; err != nil {
		return models.Owner{}, fmt.Errorf("find owner: %w", oneRow(err))
	}
	return owner, nil
}

// putTries bounds how often PutOwner looks for an owner that others make and delete meanwhile.
const putTries = 5

// PutOwner makes, or changes, the owner with an external_id by the function, and says whether it made it. Of two who put
// the same owner at once, one makes it and the other changes it. An error of the function is returned unchanged.
func (s *Store) PutOwner(ctx context.Context, externalID string, change func(*models.Owner) error) (owner models.Owner, made bool, err error) {
	for range putTries {
		owner, err = s.OwnerNamed(ctx, externalID)
		if err == nil {
			owner, err = s.UpdateOwner(ctx, owner.ID, change)
		}
		if !errors.Is(err, models.ErrNotFound) {
			return owner, false, err
		}
		owner = models.Owner{ExternalID: &externalID, Active: true}
		if err = change(&owner); err != nil {
			return models.Owner{}, false, err
		}
		if err = s.CreateOwner(ctx, &owner); !errors.Is(err, models.ErrExternalIDTaken) {
			return owner, true, err
		}
	}
	return models.Owner{}, false, err
}

// createNamed inserts a row that may have an external_id.
func createNamed(tx *gorm.DB, row any) error {
	err := tx.Create(row).Error
	if isUniqueViolation(err) {
		return models.ErrExternalIDTaken // IDs are random
	}
	return err
}

// updateNamed writes columns of a row that may have an external_id.
func updateNamed(tx *gorm.DB, row any, columns ...string) error {
	err := tx.Model(row).Select(columns).Updates(row).Error
	if isUniqueViolation(err) {
		return models.ErrExternalIDTaken
	}
	return err
}
