package models

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// MaxOwnerKeys is how many keys an owner has at most that are neither revoked nor expired.
const MaxOwnerKeys = 100

// QuotaError says that an owner has as much of something as it may have.
type QuotaError struct {
	// What it has too many of, such as webhooks.
	What  string
	Limit int64
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the owner has %d %s, the most it may have", e.Limit, e.What)
}

type quotaKey struct{}

// WithQuota limits how many webhooks or sources the owner may have for whom one is made with the context; 0 for as many
// as it likes.
func WithQuota(ctx context.Context, limit int) context.Context {
	return context.WithValue(ctx, quotaKey{}, limit)
}

// withinQuota returns a QuotaError when an owner has as many rows as the context allows. The owner is locked: of two that
// come at the same time, the second counts what the first made. No more rows are counted than the limit.
func withinQuota(ctx context.Context, tx *gorm.DB, entity any, what, ownerID string) error {
	limit, _ := ctx.Value(quotaKey{}).(int)
	if limit <= 0 {
		return nil
	}
	return fewer(tx.Model(entity).Where("owner_id = ? AND deleted_at IS NULL", ownerID), what, limit)
}

// fewer returns a QuotaError unless a query finds fewer rows than a limit.
func fewer(q *gorm.DB, what string, limit int) error {
	var ids []string
	if err := q.Limit(limit).Pluck("id", &ids).Error; err != nil {
		return err
	}
	if len(ids) >= limit {
		return &QuotaError{What: what, Limit: int64(limit)}
	}
	return nil
}

// StoredBytes is how many bytes an owner's events and received webhooks hold.
func (s *Store) StoredBytes(ctx context.Context, ownerID string) (int64, error) {
	var sum int64
	for _, statement := range []string{
		"SELECT COALESCE(sum(length(data)), 0) FROM events WHERE owner_id = ?",
		"SELECT COALESCE(sum(length(body)), 0) FROM inbound_events WHERE owner_id = ?",
	} {
		var part int64
		if err := s.db.WithContext(ctx).Raw(statement, ownerID).Scan(&part).Error; err != nil {
			return 0, fmt.Errorf("sum stored bytes: %w", err)
		}
		sum += part
	}
	return sum, nil
}
