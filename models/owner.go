package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Owner is who webhooks belong to and who is told when a delivery fails for good.
type Owner struct {
	ID   string `gorm:"primaryKey"`
	Name string
	// Email receives a message about each final failure; empty for none.
	Email string
	// SlackURL is a Slack-compatible incoming webhook that receives the same; empty for none.
	SlackURL  string
	CreatedAt time.Time
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

// CreateOwner stores a new owner and sets its ID and times.
func (s *Store) CreateOwner(ctx context.Context, owner *Owner) error {
	owner.CreatedAt = s.Now()
	owner.UpdatedAt = owner.CreatedAt
	owner.ID = NewID(KindOwner, owner.CreatedAt)
	if err := s.db.WithContext(ctx).Create(owner).Error; err != nil {
		return fmt.Errorf("create owner: %w", err)
	}
	return nil
}

// Owner returns one owner, or ErrNotFound.
func (s *Store) Owner(ctx context.Context, id string) (Owner, error) {
	var owner Owner
	if err := s.db.WithContext(ctx).Where("id = ?", id).Take(&owner).Error; err != nil {
		return Owner{}, fmt.Errorf("load owner: %w", oneRow(err))
	}
	return owner, nil
}

// Owners lists owners, newest first, with the cursor of the next page.
func (s *Store) Owners(ctx context.Context, page Page) ([]Owner, string, error) {
	q, err := page.apply(s.db.WithContext(ctx), KindOwner)
	if err != nil {
		return nil, "", err
	}
	var owners []Owner
	if err := q.Find(&owners).Error; err != nil {
		return nil, "", fmt.Errorf("list owners: %w", err)
	}
	owners, next := cut(page, owners, func(o Owner) string { return o.ID })
	return owners, next, nil
}

// UpdateOwner changes an owner by the function, under a lock. An error of the function is returned unchanged
// and nothing is written.
func (s *Store) UpdateOwner(ctx context.Context, id string, change func(*Owner) error) (Owner, error) {
	var owner Owner
	var changeErr error
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := forUpdate(tx).Where("id = ?", id).Take(&owner).Error; err != nil {
			return oneRow(err)
		}
		if changeErr = change(&owner); changeErr != nil {
			return changeErr
		}
		owner.UpdatedAt = s.Now()
		return tx.Model(&owner).Select("name", "email", "slack_url", "updated_at").Updates(&owner).Error
	})
	switch {
	case changeErr != nil:
		return Owner{}, changeErr
	case err != nil:
		return Owner{}, fmt.Errorf("update owner: %w", err)
	}
	return owner, nil
}
