package models

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// CollectRecovery finds up to limit more of a recovery's deliveries and returns it; it is collected when there
// are no more. Doing it again changes nothing.
func (s *Store) CollectRecovery(ctx context.Context, id string, limit int) (Recovery, error) {
	recovery, err := s.changeRecovery(ctx, id, func(tx *gorm.DB, recovery *Recovery) error {
		if recovery.Collected {
			return nil
		}
		found := tx.Model(&Delivery{}).
			Where("webhook_id = ? AND status IN ? AND NOT test AND id > ?",
				recovery.WebhookID, recovery.Include.statuses(), recovery.CollectedTo)
		found = between(found, KindDelivery, recovery.Since, recovery.Until).Order("id").Limit(limit)
		result := tx.Exec(`INSERT INTO recovery_deliveries (recovery_id, delivery_id, attempt_count)
			SELECT CAST(? AS text), id, attempt_count FROM (?) found`, id, found.Select("id", "attempt_count"))
		if result.Error != nil {
			return result.Error
		}
		recovery.Total += result.RowsAffected
		recovery.Collected = result.RowsAffected < int64(limit)
		return tx.Model(&recoveryDelivery{}).Select("COALESCE(MAX(delivery_id), '')").
			Where("recovery_id = ?", id).Scan(&recovery.CollectedTo).Error
	})
	if err != nil {
		return Recovery{}, fmt.Errorf("collect deliveries: %w", err)
	}
	return recovery, nil
}

// ClaimRecovery returns the deliveries that a recovery resends next, at most limit, and the recovery. What was
// claimed before and not finished comes first, without what has been tried meanwhile.
//
// It pauses the recovery when the webhook is inactive, cancels it when the webhook was deleted, and completes
// it when nothing is left; then there are no deliveries.
func (s *Store) ClaimRecovery(ctx context.Context, id string, limit int) ([]Delivery, Recovery, error) {
	for {
		var page recoveryPage
		recovery, err := s.changeRecovery(ctx, id, func(tx *gorm.DB, recovery *Recovery) error {
			reason, forEver, err := webhookStops(tx, recovery.WebhookID)
			switch {
			case err != nil:
				return err
			case forEver:
				recovery.Status, recovery.Reason = RecoveryCancelled, reason
				return nil
			case reason != "":
				recovery.Status, recovery.Reason = RecoveryPaused, reason
				return nil
			}
			if page, err = claim(tx, recovery, limit); err != nil {
				return err
			}
			if page.rows == 0 && recovery.Collected {
				recovery.Status, recovery.Reason = RecoveryCompleted, ""
			}
			return nil
		})
		if err == nil && recovery.Status == RecoveryCancelled {
			err = s.forgetRecoveryDeliveries(ctx, id)
		}
		if err != nil {
			return nil, Recovery{}, fmt.Errorf("claim deliveries: %w", err)
		}
		// A page whose deliveries were all skipped costs the receiver nothing: the next one follows at once.
		if len(page.deliveries) > 0 || page.rows == 0 {
			return page.deliveries, recovery, nil
		}
	}
}

// recoveryPage is the part of a recovery's deliveries that is being resent.
type recoveryPage struct {
	// rows is the number of deliveries that were looked at.
	rows       int
	deliveries []Delivery
}

// claim looks at the next deliveries of a recovery. Those that were claimed before and have been tried since
// are counted as resent, those that have changed before as skipped, and the others are claimed.
func claim(tx *gorm.DB, recovery *Recovery, limit int) (recoveryPage, error) {
	var rows []recoveryDelivery
	err := tx.Where("recovery_id = ?", recovery.ID).Order("delivery_id").Limit(limit).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return recoveryPage{}, err
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.DeliveryID
	}
	var found []Delivery
	if err := tx.Where("id IN ?", ids).Find(&found).Error; err != nil {
		return recoveryPage{}, err
	}
	byID := make(map[string]Delivery, len(found))
	for _, delivery := range found {
		byID[delivery.ID] = delivery
	}
	page := recoveryPage{rows: len(rows)}
	var claimed, resent, skipped []string
	for _, row := range rows {
		delivery, ok := byID[row.DeliveryID]
		untouched := ok && delivery.AttemptCount == row.AttemptCount && slices.Contains(recovery.Include.statuses(), delivery.Status)
		switch {
		case untouched:
			claimed = append(claimed, row.DeliveryID)
			page.deliveries = append(page.deliveries, delivery)
		case row.Claimed:
			resent = append(resent, row.DeliveryID)
		default:
			skipped = append(skipped, row.DeliveryID)
		}
	}
	if err := drop(tx, recovery.ID, resent, &recovery.Resent); err != nil {
		return page, err
	}
	if err := drop(tx, recovery.ID, skipped, &recovery.Skipped); err != nil {
		return page, err
	}
	return page, tx.Model(&recoveryDelivery{}).Where("recovery_id = ? AND delivery_id IN ?", recovery.ID, claimed).
		Update("claimed", true).Error
}

// drop forgets deliveries that are done and adds them to a count.
func drop(tx *gorm.DB, recoveryID string, deliveryIDs []string, count *int64) error {
	if len(deliveryIDs) == 0 {
		return nil
	}
	result := tx.Where("recovery_id = ? AND delivery_id IN ?", recoveryID, deliveryIDs).Delete(&recoveryDelivery{})
	*count += result.RowsAffected
	return result.Error
}

// FinishRecoveryPage counts claimed deliveries as resent and returns the recovery. Doing it again changes
// nothing.
func (s *Store) FinishRecoveryPage(ctx context.Context, id string, deliveries []Delivery) (Recovery, error) {
	ids := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.ID
	}
	recovery, err := s.changeRecovery(ctx, id, func(tx *gorm.DB, recovery *Recovery) error {
		return drop(tx, id, ids, &recovery.Resent)
	})
	if err != nil {
		return Recovery{}, fmt.Errorf("finish page: %w", err)
	}
	return recovery, nil
}
