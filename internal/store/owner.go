package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// CreateOwner stores a new owner, which is active, and sets its ID and times. ErrExternalIDTaken when another one has its
// external_id.
func (s *Store) CreateOwner(ctx context.Context, owner *models.Owner) error {
	owner.CreatedAt = s.Now()
	owner.UpdatedAt = owner.CreatedAt
	owner.ID = typeid.New(typeid.KindOwner, owner.CreatedAt)
	owner.Active = true
	if err := createNamed(s.on(ctx), owner); err != nil {
		return fmt.Errorf("create owner: %w", err)
	}
	return nil
}

// Owner returns one owner that was not deleted, or ErrNotFound.
func (s *Store) Owner(ctx context.Context, id string) (models.Owner, error) {
	var owner models.Owner
	if err := s.on(ctx).Where("id = ? AND deleted_at IS NULL", id).Take(&owner).Error; err != nil {
		return models.Owner{}, fmt.Errorf("load owner: %w", oneRow(err))
	}
	return owner, nil
}

// Owners lists owners that were not deleted, newest first, with the cursors of the pages beside.
func (s *Store) Owners(ctx context.Context, page models.Page) ([]models.Owner, models.Cursors, error) {
	q := s.db.WithContext(ctx).Where("deleted_at IS NULL")
	owners, cursors, err := list(q, page, listing[models.Owner]{kind: typeid.KindOwner, id: func(o models.Owner) string { return o.ID }})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list owners: %w", err)
	}
	return owners, cursors, nil
}

// OwnerNames returns the names of owners by their IDs; those that are gone are not among them.
func (s *Store) OwnerNames(ctx context.Context, ids []string) (map[string]string, error) {
	var owners []models.Owner
	if err := s.db.WithContext(ctx).Select("id", "name").Where("id IN ? AND deleted_at IS NULL", ids).Find(&owners).Error; err != nil {
		return nil, fmt.Errorf("load owners' names: %w", err)
	}
	names := make(map[string]string, len(owners))
	for _, owner := range owners {
		names[owner.ID] = owner.Name
	}
	return names, nil
}

// UpdateOwner changes an owner by the function, under a lock. An error of the function is returned unchanged
// and nothing is written.
func (s *Store) UpdateOwner(ctx context.Context, id string, change func(*models.Owner) error) (models.Owner, error) {
	var owner models.Owner
	var changeErr error
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		if owner, err = lockOwner(tx, id); err != nil {
			return err
		}
		wasActive := owner.Active
		if changeErr = change(&owner); changeErr != nil {
			return changeErr
		}
		owner.UpdatedAt = s.Now()
		err = updateNamed(tx, &owner, "name", "email", "slack_url", "active", "external_id", "metadata", "updated_at")
		if err != nil || owner.Active == wasActive {
			return err
		}
		return suspend(tx, id, !owner.Active)
	})
	switch {
	case changeErr != nil:
		return models.Owner{}, changeErr
	case err != nil:
		return models.Owner{}, fmt.Errorf("update owner: %w", err)
	}
	return owner, nil
}

// lockOwner reads an owner that was not deleted. Whoever makes something for it does so under this lock: it then has
// the state of its owner, and nothing is made behind the back of who counts or deletes.
func lockOwner(tx *gorm.DB, id string) (models.Owner, error) {
	var owner models.Owner
	err := forUpdate(tx).Where("id = ? AND deleted_at IS NULL", id).Take(&owner).Error
	return owner, oneRow(err)
}

// suspend writes an owner's suspension, or its end, to everything that has to know. So it costs nothing to publish,
// to receive and to look up a key.
func suspend(tx *gorm.DB, ownerID string, suspended bool) error {
	for _, entity := range []any{&models.Webhook{}, &models.Source{}, &models.APIKey{}} {
		if err := tx.Model(entity).Where("owner_id = ?", ownerID).UpdateColumn("suspended", suspended).Error; err != nil {
			return err
		}
	}
	return nil
}
