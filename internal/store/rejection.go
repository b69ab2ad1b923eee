package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// keptRejections is how many rejections of a source are kept.
const keptRejections = 50

// Rejected are requests to one source that were refused.
type Rejected struct {
	// Count is how many they were.
	Count int64
	// Last are the last of them, oldest first.
	Last []models.Rejection
}

// RecordRejection counts a refused request and keeps it among the last ones of its source.
func (s *Store) RecordRejection(ctx context.Context, sourceID, reason, remoteAddr string) error {
	rejection := s.newRejection(sourceID, reason, remoteAddr)
	return s.RecordRejections(ctx, sourceID, Rejected{Count: 1, Last: []models.Rejection{rejection}})
}

func (s *Store) newRejection(sourceID, reason, remoteAddr string) models.Rejection {
	now := s.Now()
	return models.Rejection{ID: typeid.New(typeid.KindRejection, now), SourceID: sourceID, Reason: reason, RemoteAddr: remoteAddr, CreatedAt: now}
}

// RecordRejections is RecordRejection for many requests to one source in one transaction.
func (s *Store) RecordRejections(ctx context.Context, sourceID string, rejected Rejected) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// The counter's row lock makes requests to one source take turns, so that just the last ones remain.
		err := tx.Model(&models.Source{}).Where("id = ?", sourceID).Update("rejected", gorm.Expr("rejected + ?", rejected.Count)).Error
		if err != nil {
			return err
		}
		if err := tx.Create(&rejected.Last).Error; err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM source_rejections WHERE source_id = ? AND id <= (
			SELECT id FROM source_rejections WHERE source_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
			sourceID, sourceID, keptRejections).Error
	})
	if err != nil {
		return fmt.Errorf("record rejections: %w", err)
	}
	return nil
}

// Rejections returns the last refused requests of a source, newest first.
func (s *Store) Rejections(ctx context.Context, sourceID string) ([]models.Rejection, error) {
	var rejections []models.Rejection
	err := s.db.WithContext(ctx).Where("source_id = ?", sourceID).Order("id DESC").Limit(keptRejections).Find(&rejections).Error
	if err != nil {
		return nil, fmt.Errorf("list rejections: %w", err)
	}
	return rejections, nil
}
