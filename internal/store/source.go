package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// CreateSource stores a new source with its secrets, and sets its ID and times. An unknown owner is
// ErrNotFound.
func (s *Store) CreateSource(ctx context.Context, source *models.Source, secrets []string) error {
	source.CreatedAt = s.Now()
	source.UpdatedAt = source.CreatedAt
	source.ID = typeid.New(typeid.KindSource, source.CreatedAt)
	s.sealVerifyToken(source)
	err := s.sealSecrets(source, secrets)
	if err == nil {
		err = s.on(ctx).Transaction(func(tx *gorm.DB) error {
			owner, err := lockOwner(tx, source.OwnerID)
			if err != nil {
				return err
			}
			if err := withinQuota(ctx, tx, &models.Source{}, "sources", owner.ID); err != nil {
				return err
			}
			source.Suspended = !owner.Active
			return tx.Create(source).Error
		})
	}
	if err != nil {
		return fmt.Errorf("create source: %w", err)
	}
	return nil
}

func (s *Store) sealSecrets(source *models.Source, secrets []string) error {
	list, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	source.Secrets = s.keyring.Seal(string(list), source.ID)
	return nil
}

// sealVerifyToken moves a new token to where it is sealed.
func (s *Store) sealVerifyToken(source *models.Source) {
	if token := source.Options.VerifyToken; token != "" {
		source.VerifyToken, source.Options.VerifyToken = s.keyring.Seal(token, source.ID), ""
	}
	if source.VerifyToken == nil {
		source.VerifyToken = []byte{}
	}
}

// SourceVerifyToken decrypts a source's token; it is empty when there is none.
func (s *Store) SourceVerifyToken(source models.Source) (string, error) {
	if len(source.VerifyToken) == 0 {
		return source.Options.VerifyToken, nil // of before tokens were sealed
	}
	token, err := s.keyring.Open(source.VerifyToken, source.ID)
	if err != nil {
		return "", fmt.Errorf("verify token of %s: %w", source.ID, err)
	}
	return token, nil
}

// SourceSecrets decrypts a source's secrets.
func (s *Store) SourceSecrets(source models.Source) ([]string, error) {
	list, err := s.keyring.Open(source.Secrets, source.ID)
	if err != nil {
		return nil, fmt.Errorf("secrets of %s: %w", source.ID, err)
	}
	var secrets []string
	if err := json.Unmarshal([]byte(list), &secrets); err != nil {
		return nil, fmt.Errorf("secrets of %s: %w", source.ID, err)
	}
	return secrets, nil
}

// Source returns one source that was not deleted, or ErrNotFound.
func (s *Store) Source(ctx context.Context, scope models.Scope, id string) (models.Source, error) {
	var source models.Source
	err := visible(scope, s.db.WithContext(ctx)).Where("id = ? AND deleted_at IS NULL", id).Take(&source).Error
	if err != nil {
		return models.Source{}, fmt.Errorf("load source: %w", oneRow(err))
	}
	return source, nil
}

// SourceOf returns the source of an inbound event, deleted or not.
func (s *Store) SourceOf(ctx context.Context, inbound models.InboundEvent) (models.Source, error) {
	var source models.Source
	if err := s.db.WithContext(ctx).Where("id = ?", inbound.SourceID).Take(&source).Error; err != nil {
		return models.Source{}, fmt.Errorf("load source: %w", oneRow(err))
	}
	return source, nil
}

// Sources lists sources that were not deleted, newest first, with the cursors of the pages beside.
func (s *Store) Sources(ctx context.Context, scope models.Scope, page models.Page) ([]models.Source, models.Cursors, error) {
	q := visible(scope, s.db.WithContext(ctx)).Where("deleted_at IS NULL")
	sources, cursors, err := list(q, page, listing[models.Source]{kind: typeid.KindSource, id: func(s models.Source) string { return s.ID }})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list sources: %w", err)
	}
	return sources, cursors, nil
}

// UpdateSource changes a source by the function, under a lock, and its secrets unless they are nil. An error
// of the function is returned unchanged and nothing is written.
func (s *Store) UpdateSource(ctx context.Context, scope models.Scope, id string, change func(*models.Source) (secrets []string, err error)) (models.Source, error) {
	var source models.Source
	var changeErr error
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		q := visible(scope, forUpdate(tx)).Where("id = ? AND deleted_at IS NULL", id)
		if err := q.Take(&source).Error; err != nil {
			return oneRow(err)
		}
		var secrets []string
		if secrets, changeErr = change(&source); changeErr != nil {
			return changeErr
		}
		if secrets != nil {
			if err := s.sealSecrets(&source, secrets); err != nil {
				return err
			}
		}
		s.sealVerifyToken(&source)
		source.UpdatedAt = s.Now()
		return tx.Model(&source).Select("name", "scheme", "secrets", "verify_token", "event_prefix", "options", "active", "broadcast", "updated_at").
			Updates(&source).Error
	})
	switch {
	case changeErr != nil:
		return models.Source{}, changeErr
	case err != nil:
		return models.Source{}, fmt.Errorf("update source: %w", err)
	}
	return source, nil
}

// DeleteSource hides a source and forgets its credentials. What it received is still processed.
func (s *Store) DeleteSource(ctx context.Context, scope models.Scope, id string) error {
	now := s.Now()
	result := visible(scope, s.db.WithContext(ctx).Model(&models.Source{})).Where("id = ? AND deleted_at IS NULL", id).
		Updates(forgottenSource(now))
	if result.Error != nil {
		return fmt.Errorf("delete source: %w", result.Error)
	}
	if result.RowsAffected == 0 {
		return fmt.Errorf("delete source: %w", models.ErrNotFound)
	}
	return nil
}

// forgottenSource is what is written over a source that is deleted.
func forgottenSource(now time.Time) map[string]any {
	return map[string]any{
		"deleted_at": now, "updated_at": now, "active": false,
		"secrets": []byte{}, "verify_token": []byte{}, "options": "{}",
	}
}
