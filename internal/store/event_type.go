package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// CreateEventType adds to the catalogue, and sets the entry's ID and times. A name that is taken is ErrEventTypeExists.
func (s *Store) CreateEventType(ctx context.Context, of *models.EventType) error {
	err := s.createEventType(s.db.WithContext(ctx), of)
	if err != nil {
		return fmt.Errorf("create event type: %w", err)
	}
	return nil
}

func (s *Store) createEventType(tx *gorm.DB, of *models.EventType) error {
	of.CreatedAt = s.Now()
	of.UpdatedAt = of.CreatedAt
	of.ID = typeid.New(typeid.KindEventType, of.CreatedAt)
	err := tx.Create(of).Error
	if isUniqueViolation(err) {
		return models.ErrEventTypeExists // IDs are random
	}
	return err
}

// EventType returns an entry of the catalogue, or ErrNotFound.
func (s *Store) EventType(ctx context.Context, name string) (models.EventType, error) {
	var of models.EventType
	if err := s.db.WithContext(ctx).Where("name = ?", name).Take(&of).Error; err != nil {
		return models.EventType{}, fmt.Errorf("load event type: %w", oneRow(err))
	}
	return of, nil
}

// EventTypes lists the catalogue, newest first, with the cursors of the pages beside. It loads schemas and examples where
// whole is set.
func (s *Store) EventTypes(ctx context.Context, whole bool, page models.Page) ([]models.EventType, models.Cursors, error) {
	of := listing[models.EventType]{kind: typeid.KindEventType, id: func(of models.EventType) string { return of.ID }}
	if !whole {
		of.omit = []string{"schema", "example"}
	}
	list, cursors, err := list(s.db.WithContext(ctx), page, of)
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list event types: %w", err)
	}
	return list, cursors, nil
}

// MostPublicEventTypes bounds the page that everyone may see.
const MostPublicEventTypes = 2000

// PublicEventTypes returns the catalogue without schemas and examples, sorted by groups and names.
func (s *Store) PublicEventTypes(ctx context.Context) ([]models.EventType, error) {
	var list []models.EventType
	err := s.db.WithContext(ctx).Omit("schema", "example").Order("group_name, name").Limit(MostPublicEventTypes).Find(&list).Error
	if err != nil {
		return nil, fmt.Errorf("list event types: %w", err)
	}
	return list, nil
}

// PutEventType makes, or changes, the entry with a name by the function, which gets one without times where there is none,
// and says whether it made it. Of two who put the same at once, one makes it and the other changes it. An error of the
// function is returned unchanged, and nothing is written.
func (s *Store) PutEventType(ctx context.Context, name string, change func(*models.EventType) error) (of models.EventType, made bool, err error) {
	for range putTries {
		var changeErr error
		err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			of = models.EventType{}
			found := forUpdate(tx).Where("name = ?", name).Limit(1).Find(&of)
			if found.Error != nil {
				return found.Error
			}
			made, of.Name = found.RowsAffected == 0, name
			if changeErr = change(&of); changeErr != nil {
				return changeErr
			}
			if made {
				return s.createEventType(tx, &of)
			}
			of.UpdatedAt = s.Now()
			return tx.Model(&of).Select("description", "group_name", "schema", "example", "deprecated", "updated_at").Updates(&of).Error
		})
		switch {
		case changeErr != nil:
			return models.EventType{}, false, changeErr
		case err == nil:
			return of, made, nil
		case !errors.Is(err, models.ErrEventTypeExists):
			return models.EventType{}, false, fmt.Errorf("put event type: %w", err)
		}
	}
	return models.EventType{}, false, fmt.Errorf("put event type: %w", err)
}

// DeleteEventType removes an entry of the catalogue.
func (s *Store) DeleteEventType(ctx context.Context, name string) error {
	result := s.db.WithContext(ctx).Where("name = ?", name).Delete(&models.EventType{})
	if result.Error != nil {
		return fmt.Errorf("delete event type: %w", result.Error)
	}
	if result.RowsAffected == 0 {
		return fmt.Errorf("delete event type: %w", models.ErrNotFound)
	}
	return nil
}
