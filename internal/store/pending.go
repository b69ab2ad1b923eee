package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// Two indexes have what is pending: what may have no workflow, and what waits for its time and is known to have one. The
// sweep goes through the first, and asks the second only for those whose time has long passed.
const (
	unseenSQL  = "status = 'pending' AND (next_attempt_at IS NULL OR leased_until IS NULL)"
	waitingSQL = "status = 'pending' AND next_attempt_at IS NOT NULL AND leased_until IS NOT NULL"
)

// overdueSQL finds first what is overdue and then its order: the other way, PostgreSQL might go through all that waits.
const overdueSQL = `
WITH overdue AS MATERIALIZED (
    SELECT id FROM deliveries WHERE ` + waitingSQL + ` AND leased_until <= @now AND next_attempt_at <= @now AND place IS NULL)
SELECT id FROM overdue WHERE id > @after ORDER BY id LIMIT @limit`

// PendingDeliveries returns deliveries without an attempt that were made at or before a time, oldest first,
// from behind the one with the ID after. They are the ones whose workflow may not have been started; those that are
// postponed, or left to the process that published them, are not among them, nor are those in queues: see QueueHeads. Those
// that are to be delivered later are until LeaseScheduled says that their workflows run.
func (s *Store) PendingDeliveries(ctx context.Context, madeBy time.Time, after string, limit int) ([]models.Delivery, error) {
	// SQLite compares times as text, which all have to be in UTC for that.
	now := s.Now()
	unseen, err := s.pending(ctx, s.db.Where(unseenSQL+" AND place IS NULL").
		Where("created_at <= ? AND (leased_until IS NULL OR leased_until <= ?)", madeBy.UTC(), now), after, limit)
	if err != nil || len(unseen) == limit {
		return unseen, err
	}
	var ids []string
	err = s.db.WithContext(ctx).Raw(overdueSQL, map[string]any{"now": now, "after": after, "limit": limit - len(unseen)}).Find(&ids).Error
	if err != nil || len(ids) == 0 {
		return unseen, err
	}
	overdue, err := s.pending(ctx, s.db.Where("id IN ?", ids), after, limit)
	return append(unseen, overdue...), err
}

// LeaseScheduled says that the workflows of deliveries run which wait for their first attempt: the sweep looks at them again
// only when that is long overdue.
func (s *Store) LeaseScheduled(ctx context.Context, deliveries []models.Delivery) error {
	byTime := map[time.Time][]string{}
	for _, delivery := range deliveries {
		if delivery.StartsIn(s.Now()) > 0 {
			byTime[delivery.NextAttemptAt.UTC()] = append(byTime[delivery.NextAttemptAt.UTC()], delivery.ID)
		}
	}
	const most = 100 // of one statement, which is prepared for each number
	for due, ids := range byTime {
		for some := range slices.Chunk(ids, most) {
			err := s.db.WithContext(ctx).Model(&models.Delivery{}).Where("id IN ? AND "+unseenSQL+" AND next_attempt_at IS NOT NULL", some).
				Update("leased_until", due.Add(timing.Postpone)).Error
			if err != nil {
				return fmt.Errorf("lease scheduled deliveries: %w", err)
			}
		}
	}
	return nil
}
