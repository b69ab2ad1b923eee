package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// purging says which rows of a table a purge takes, in SQL.
type purging struct {
	kind typeid.Kind
	// candidates narrows the rows that a batch looks at, beside their age.
	candidates string
	// disposable is what must hold of a row when it is deleted.
	disposable string
}

var purgings = map[models.Purgeable]purging{
	models.PurgeDeliveries: {kind: typeid.KindDelivery, disposable: finishedSQL + ` AND place IS NULL AND NOT EXISTS (
		SELECT 1 FROM attempts a WHERE a.delivery_id = deliveries.id AND a.id >= @first_attempt)`},
	models.PurgeEvents:     {kind: typeid.KindEvent, disposable: "NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id)"},
	models.PurgeRecoveries: {kind: typeid.KindRecovery, candidates: "finished_at < @before", disposable: "TRUE"},
	models.PurgeWebhooks: {kind: typeid.KindWebhook, candidates: "deleted_at < @before",
		disposable: "NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = webhooks.id)"},
	models.PurgeKeys:       {kind: typeid.KindKey, candidates: "revoked_at < @before", disposable: "TRUE"},
	models.PurgeAudit:      {kind: typeid.KindAudit, disposable: "TRUE"},
	models.PurgeCalls:      {kind: typeid.KindCall, disposable: "TRUE"},
	models.PurgeSessions:   {kind: typeid.KindSession, candidates: "expires_at < @before", disposable: "TRUE"},
	models.PurgeInbound:    {kind: typeid.KindInbound, disposable: "status <> 'pending'"},
	models.PurgeRejections: {kind: typeid.KindRejection, disposable: "TRUE"},
	models.PurgeSources: {kind: typeid.KindSource, candidates: "deleted_at < @before",
		disposable: "NOT EXISTS (SELECT 1 FROM inbound_events i WHERE i.source_id = sources.id)"},
}

const finishedSQL = "status IN ('delivered', 'permanently_failed', 'cancelled')"

// Purge deletes one batch of old rows. It goes through them by ID, which is by age, and never looks twice at
// one that has to stay. Nothing waits for it: it skips what others have locked, and locks only what nobody
// works on any more.
func (s *Store) Purge(ctx context.Context, purge models.Purge) (models.Purged, error) {
	if purge.What == "" {
		purge.What = models.PurgeDeliveries
	}
	purging, ok := purgings[purge.What]
	if !ok {
		return models.Purged{}, fmt.Errorf("purge: there is nothing named %q", purge.What)
	}
	purged, err := s.purge(ctx, purge, purging)
	if err != nil {
		return models.Purged{}, fmt.Errorf("purge %s: %w", purge.What, err)
	}
	return purged, nil
}

func (s *Store) purge(ctx context.Context, purge models.Purge, purging purging) (models.Purged, error) {
	db := s.db.WithContext(ctx)
	before := purge.Before.UTC() // SQLite compares times as text
	var ids []string
	page := db.Table(string(purge.What)).Where("id > ? AND id < ?", purge.After, typeid.First(purging.kind, before))
	if purging.candidates != "" {
		page = page.Where(purging.candidates, map[string]any{"before": before})
	}
	if err := page.Order("id").Limit(purge.Limit).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return models.Purged{}, err
	}
	var purged models.Purged
	if len(ids) == purge.Limit {
		purged.Last = ids[len(ids)-1]
	}
	err := db.Transaction(func(tx *gorm.DB) error {
		var err error
		if purge.What == models.PurgeDeliveries {
			if ids, err = lockFinished(tx, ids); err != nil {
				return err
			}
		}
		gone, err := deleteRows(tx, purge.What, ids, purging.disposable, typeid.First(typeid.KindAttempt, before))
		if err != nil {
			return err
		}
		purged.Deleted = int64(len(gone))
		switch purge.What {
		case models.PurgeDeliveries:
			purged.Attempts, err = deleteWhatBelongs(tx, "attempts", "delivery_id", gone)
		case models.PurgeWebhooks:
			for table, column := range map[string]string{"webhook_health": "webhook_id", "webhook_slots": "webhook_id", "webhook_queues": "webhook_id", "statistics": "subject"} {
				if _, err = deleteWhatBelongs(tx, table, column, gone); err != nil {
					break
				}
			}
		}
		return err
	})
	if err != nil {
		return models.Purged{}, err
	}
	return purged, nil
}

// lockFinished locks the finished deliveries among some, but for those that someone works on, and returns
// them. What is deleted is decided by a later statement, which sees every attempt that was recorded before the
// lock; a later attempt finds its delivery gone. So no attempt is left without its delivery.
func lockFinished(tx *gorm.DB, ids []string) ([]string, error) {
	if tx.Name() != "postgres" {
		return ids, nil // a transaction of SQLite is alone
	}
	var locked []string
	err := tx.Raw("SELECT id FROM deliveries WHERE "+amongSQL(tx, "id")+" AND "+finishedSQL+" FOR UPDATE SKIP LOCKED",
		map[string]any{"ids": idList(tx, ids)}).Scan(&locked).Error
	return locked, err
}

// deleteRows deletes those rows of a table that are disposable, but for what someone else has locked, and
// returns their IDs.
func deleteRows(tx *gorm.DB, table models.Purgeable, ids []string, disposable, firstAttempt string) ([]string, error) {
	which := fmt.Sprintf("SELECT id FROM %s WHERE %s AND %s", table, amongSQL(tx, "id"), disposable)
	if tx.Name() == "postgres" {
		which += " FOR UPDATE SKIP LOCKED"
	}
	var gone []string
	err := tx.Raw(fmt.Sprintf("DELETE FROM %s WHERE id IN (%s) RETURNING id", table, which),
		map[string]any{"ids": idList(tx, ids), "first_attempt": firstAttempt}).Scan(&gone).Error
	return gone, err
}

// deleteWhatBelongs deletes the rows of a table that belong to rows that are gone, and returns how many they were.
func deleteWhatBelongs(tx *gorm.DB, table, column string, gone []string) (int64, error) {
	result := tx.Exec(fmt.Sprintf("DELETE FROM %s WHERE %s", table, amongSQL(tx, column)), map[string]any{"ids": idList(tx, gone)})
	return result.RowsAffected, result.Error
}

// amongSQL says that a column is one of @ids, which idList makes. The IDs are one parameter, so that a batch of
// any size is the same prepared statement.
func amongSQL(db *gorm.DB, column string) string {
	if db.Name() == "postgres" {
		return column + " = ANY(string_to_array(@ids, ','))"
	}
	return column + " IN (SELECT value FROM json_each(@ids))"
}

func idList(db *gorm.DB, ids []string) string {
	if db.Name() == "postgres" {
		return strings.Join(ids, ",")
	}
	list, _ := json.Marshal(ids) // cannot fail: they are strings
	if ids == nil {
		return "[]"
	}
	return string(list)
}
