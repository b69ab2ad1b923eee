package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

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
		return &models.QuotaError{What: what, Limit: int64(limit)}
	}
	return nil
}

// sumPage is how many rows are summed at once.
const sumPage = 5000

// storedSQL sums a page of an owner's rows in the order of an index, so that no statement is about more than a page,
// however much there is. The length of a value is known without reading it.
func storedSQL(table, column string) string {
	return fmt.Sprintf(`SELECT COALESCE(sum(bytes), 0) AS bytes, COALESCE(max(id), '') AS last, count(*) AS rows
		FROM (SELECT id, length(%s) AS bytes FROM %s WHERE owner_id = @owner AND id > @after ORDER BY id LIMIT %d) page`, column, table, sumPage)
}

// StoredBytes is how many bytes an owner's events and received webhooks hold.
func (s *Store) StoredBytes(ctx context.Context, ownerID string) (int64, error) {
	var sum int64
	for _, statement := range []string{storedSQL("events", "data"), storedSQL("inbound_events", "body")} {
		for after := ""; ; {
			var page struct {
				Bytes int64
				Last  string
				Rows  int
			}
			err := s.db.WithContext(ctx).Raw(statement, map[string]any{"owner": ownerID, "after": after}).Scan(&page).Error
			if err != nil {
				return 0, fmt.Errorf("sum stored bytes: %w", err)
			}
			sum += page.Bytes
			if after = page.Last; page.Rows < sumPage {
				break
			}
		}
	}
	return sum, nil
}
