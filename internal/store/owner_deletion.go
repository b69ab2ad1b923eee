package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// DeleteOwner ends an owner at once: it, its webhooks and its sources are hidden, their secrets are forgotten and its
// keys are revoked. What it had is removed later: see PurgeOwner. Deleting it again changes nothing until its last row
// is gone; then it is ErrNotFound.
func (s *Store) DeleteOwner(ctx context.Context, id string) (models.Owner, error) {
	if id == models.DefaultOwnerID {
		return models.Owner{}, fmt.Errorf("delete owner: %w", models.ErrDefaultOwner)
	}
	var owner models.Owner
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := forUpdate(tx).Where("id = ?", id).Take(&owner).Error; err != nil {
			return oneRow(err)
		}
		if owner.DeletedAt != nil {
			return nil
		}
		now := s.Now()
		owner.DeletedAt, owner.UpdatedAt, owner.Active = &now, now, false
		owner.Email, owner.SlackURL, owner.ExternalID, owner.Metadata = "", "", nil, nil
		err := tx.Model(&owner).Select("email", "slack_url", "external_id", "metadata", "active", "updated_at", "deleted_at").Updates(&owner).Error
		if err != nil {
			return err
		}
		return endOwned(tx, id, now)
	})
	if err != nil {
		return models.Owner{}, fmt.Errorf("delete owner: %w", err)
	}
	return owner, nil
}

// endOwned ends everything that an owner can act with.
func endOwned(tx *gorm.DB, ownerID string, now time.Time) error {
	if err := suspend(tx, ownerID, true); err != nil {
		return err
	}
	present := tx.Model(&models.Webhook{}).Select("id").Where("owner_id = ? AND deleted_at IS NULL", ownerID)
	if err := tx.Where("webhook_id IN (?)", present).Delete(&webhookPattern{}).Error; err != nil {
		return err
	}
	for _, step := range []struct {
		entity  any
		present string
		changes map[string]any
	}{
		{&models.Webhook{}, "deleted_at IS NULL", forgottenWebhook(now)},
		{&models.Source{}, "deleted_at IS NULL", forgottenSource(now)},
		{&models.APIKey{}, "revoked_at IS NULL", map[string]any{"revoked_at": now}},
	} {
		if err := tx.Model(step.entity).Where("owner_id = ? AND "+step.present, ownerID).UpdateColumns(step.changes).Error; err != nil {
			return err
		}
	}
	return nil
}

// DeletedOwners returns the IDs of owners that were deleted at or before a time and of which something is left.
func (s *Store) DeletedOwners(ctx context.Context, by time.Time, limit int) ([]string, error) {
	var ids []string
	err := s.db.WithContext(ctx).Model(&models.Owner{}).Where("deleted_at <= ?", by.UTC()).Order("deleted_at").Limit(limit).Pluck("id", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("list deleted owners: %w", err)
	}
	return ids, nil
}

// OwnerDeliveries returns deliveries to an owner's webhooks that have not ended, oldest first, from behind the one
// with the ID after.
func (s *Store) OwnerDeliveries(ctx context.Context, ownerID, after string, limit int) ([]models.Delivery, error) {
	var deliveries []models.Delivery
	err := s.db.WithContext(ctx).Where("owner_id = ? AND status IN ('pending', 'failed') AND id > ?", ownerID, after).
		Order("id").Limit(limit).Find(&deliveries).Error
	if err != nil {
		return nil, fmt.Errorf("list waiting deliveries: %w", err)
	}
	return deliveries, nil
}

// OwnerRecoveries returns an owner's recoveries that have not ended: one for each webhook at most.
func (s *Store) OwnerRecoveries(ctx context.Context, ownerID, after string, limit int) ([]models.Recovery, error) {
	var recoveries []models.Recovery
	err := s.db.WithContext(ctx).Where("owner_id = ? AND status IN ('running', 'paused') AND id > ?", ownerID, after).
		Order("id").Limit(limit).Find(&recoveries).Error
	if err != nil {
		return nil, fmt.Errorf("list recoveries: %w", err)
	}
	return recoveries, nil
}

// owned is a table with what belongs to owners, and those with what belongs to its rows.
type owned struct {
	table models.Purgeable
	// belongs has the other tables, and their columns with the row's ID.
	belongs map[string]string
}

// ownedInOrder are emptied in this order: what refers to something goes before that.
var ownedInOrder = []owned{
	{table: models.PurgeDeliveries, belongs: map[string]string{"attempts": "delivery_id"}},
	{table: models.PurgeEvents},
	{table: models.PurgeRecoveries, belongs: map[string]string{"recovery_deliveries": "recovery_id"}},
	{table: models.PurgeInbound},
	{table: models.PurgeWebhooks, belongs: map[string]string{"statistics": "subject", "webhook_patterns": "webhook_id", "webhook_health": "webhook_id", "webhook_slots": "webhook_id", "webhook_queues": "webhook_id"}},
	{table: models.PurgeSources, belongs: map[string]string{"source_rejections": "source_id"}},
	{table: models.PurgeKeys},
	{table: models.PurgeCalls},
	{table: models.PurgeSessions},
}

// PurgeOwner removes one batch of what a deleted owner had, and the owner itself when nothing is left. The trail of what
// was done stays. Doing it again is safe: one that is gone is done.
func (s *Store) PurgeOwner(ctx context.Context, ownerID string, limit int) (models.OwnerPurge, error) {
	purge := models.OwnerPurge{Deleted: map[string]int64{}}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var owners int64
		// No owner that someone still has is ever purged.
		if err := tx.Model(&models.Owner{}).Where("id = ? AND deleted_at IS NOT NULL", ownerID).Count(&owners).Error; err != nil {
			return err
		}
		if owners == 0 {
			purge.Done = true
			return nil
		}
		for _, of := range ownedInOrder {
			left, err := purgeOwned(tx, of, ownerID, limit, purge.Deleted)
			if err != nil || left {
				return err
			}
		}
		purge.Done = true
		if err := tx.Where("subject = ?", ownerID).Delete(&models.Statistics{}).Error; err != nil {
			return err
		}
		return tx.Where("id = ?", ownerID).Delete(&models.Owner{}).Error
	})
	if err != nil {
		return models.OwnerPurge{}, fmt.Errorf("purge owner: %w", err)
	}
	return purge, nil
}

// purgeOwned removes one batch from a table, with what belongs to it, and says whether there was any.
func purgeOwned(tx *gorm.DB, of owned, ownerID string, limit int, deleted map[string]int64) (left bool, err error) {
	var ids []string
	if err := tx.Table(string(of.table)).Where("owner_id = ?", ownerID).Order("id").Limit(limit).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return false, err
	}
	var shared map[string]string
	if of.table == models.PurgeDeliveries {
		if shared, err = sharedEvents(tx, ids, ownerID); err != nil {
			return true, err
		}
	}
	gone, err := deleteRows(tx, of.table, ids, "TRUE", "")
	if err != nil || len(gone) == 0 {
		return true, err
	}
	if err := takeFromEvents(tx, gone, shared); err != nil {
		return true, err
	}
	deleted[string(of.table)] += int64(len(gone))
	for table, column := range of.belongs {
		rows, err := deleteWhatBelongs(tx, table, column, gone)
		if err != nil {
			return true, err
		}
		deleted[table] += rows
	}
	return true, nil
}

// sharedEvents returns the events of deliveries that do not go with the owner: those that went to others too. Their rows
// are locked in their order, so that the purges of two owners do not wait for each other.
func sharedEvents(tx *gorm.DB, deliveries []string, ownerID string) (map[string]string, error) {
	var found []models.Delivery
	err := tx.Select("id", "event_id").Where(amongSQL(tx, "id"), map[string]any{"ids": idList(tx, deliveries)}).Find(&found).Error
	if err != nil {
		return nil, err
	}
	events := make([]string, len(found))
	for i, delivery := range found {
		events[i] = delivery.EventID
	}
	var others []string
	err = forUpdate(tx.Model(&models.Event{})).Where(amongSQL(tx, "id"), map[string]any{"ids": idList(tx, events)}).
		Where("owner_id <> ?", ownerID).Order("id").Pluck("id", &others).Error
	if err != nil {
		return nil, err
	}
	shared := map[string]string{}
	for _, delivery := range found {
		if slices.Contains(others, delivery.EventID) {
			shared[delivery.ID] = delivery.EventID
		}
	}
	return shared, nil
}

// takeFromEvents takes deliveries that are gone from the number that their event has. One that counted more than it has
// would not be recovered for those who missed it.
func takeFromEvents(tx *gorm.DB, gone []string, eventOf map[string]string) error {
	counts := map[string]int{}
	for _, id := range gone {
		if event, ok := eventOf[id]; ok {
			counts[event]++
		}
	}
	events := map[int][]string{}
	for event, n := range counts {
		events[n] = append(events[n], event)
	}
	for n, ids := range events {
		err := tx.Model(&models.Event{}).Where(amongSQL(tx, "id"), map[string]any{"ids": idList(tx, ids)}).
			UpdateColumn("deliveries", gorm.Expr("deliveries - ?", n)).Error
		if err != nil {
			return err
		}
	}
	return nil
}
