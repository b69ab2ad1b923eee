package store

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// ClaimRecovery returns the deliveries that a recovery resends next, at most limit, and the recovery. What was
// claimed before and not finished comes first, without what has been tried meanwhile.
//
// It pauses the recovery when the webhook is inactive, cancels it when the webhook was deleted, and completes
// it when nothing is left; then there are no deliveries.
func (s *Store) ClaimRecovery(ctx context.Context, id string, limit int) ([]models.Delivery, models.Recovery, error) {
	for {
		var page recoveryPage
		recovery, err := s.changeRecovery(ctx, id, func(tx *gorm.DB, recovery *models.Recovery) error {
			reason, forEver, err := webhookStops(tx, recovery.WebhookID)
			switch {
			case err != nil:
				return err
			case forEver:
				recovery.Status, recovery.Reason = models.RecoveryCancelled, reason
				return nil
			case reason != "":
				recovery.Status, recovery.Reason = models.RecoveryPaused, reason
				return nil
			}
			if page, err = s.claim(tx, recovery, limit); err != nil {
				return err
			}
			if page.rows == 0 && recovery.Collected {
				recovery.Status, recovery.Reason = models.RecoveryCompleted, ""
			}
			return nil
		})
		if err == nil && recovery.Status == models.RecoveryCancelled {
			err = s.forgetRecoveryDeliveries(ctx, id)
		}
		if err != nil {
			return nil, models.Recovery{}, fmt.Errorf("claim deliveries: %w", err)
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
	deliveries []models.Delivery
}

// claim looks at what a recovery has to do next. Deliveries that were claimed before and have been tried since are
// counted as resent, those that have changed before as skipped, and the others are claimed, with the deliveries that
// are made of missed events.
func (s *Store) claim(tx *gorm.DB, recovery *models.Recovery, limit int) (recoveryPage, error) {
	var rows []recoveryDelivery
	err := tx.Where("recovery_id = ?", recovery.ID).Order("delivery_id").Limit(limit).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return recoveryPage{}, err
	}
	var webhook models.Webhook
	if err := tx.Select("id", "owner_id", "host", "external_id", "metadata", "filter", "ordered").Where("id = ?", recovery.WebhookID).Take(&webhook).Error; err != nil {
		return recoveryPage{}, err
	}
	page := recoveryPage{rows: len(rows)}
	firstEvent := len(rows)
	if i := slices.IndexFunc(rows, recoveryDelivery.isEvent); i >= 0 {
		firstEvent = i
	}
	if page.deliveries, err = claimDeliveries(tx, recovery, rows[:firstEvent]); err != nil {
		return page, err
	}
	if webhook.Ordered && len(page.deliveries) > 0 {
		if page.deliveries, err = queueAgain(tx, webhook.ID, page.deliveries); err != nil {
			return page, err
		}
	}
	made, err := s.makeMissed(tx, recovery, webhook, rows[firstEvent:])
	page.deliveries = append(page.deliveries, made...)
	return page, err
}

// claimDeliveries claims the deliveries that are still as they were when they were collected, or made.
func claimDeliveries(tx *gorm.DB, recovery *models.Recovery, rows []recoveryDelivery) ([]models.Delivery, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := idsOfRows(rows)
	var found []models.Delivery
	if err := tx.Where("id IN ?", ids).Find(&found).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]models.Delivery, len(found))
	for _, delivery := range found {
		byID[delivery.ID] = delivery
	}
	var deliveries []models.Delivery
	var claimed, resent, skipped []string
	for _, row := range rows {
		delivery, ok := byID[row.DeliveryID]
		// What is pending was made of a missed event by the process that claimed it.
		included := recovery.Include.Wants(delivery) || row.Claimed && delivery.Status == models.StatusPending
		switch {
		case ok && included && delivery.AttemptCount == row.AttemptCount:
			claimed = append(claimed, row.DeliveryID)
			deliveries = append(deliveries, delivery)
		case row.Claimed:
			resent = append(resent, row.DeliveryID)
		default:
			skipped = append(skipped, row.DeliveryID)
		}
	}
	if err := drop(tx, recovery.ID, resent, &recovery.Resent); err != nil {
		return nil, err
	}
	if err := drop(tx, recovery.ID, skipped, &recovery.Skipped); err != nil {
		return nil, err
	}
	return deliveries, tx.Model(&recoveryDelivery{}).Where("recovery_id = ? AND delivery_id IN ?", recovery.ID, claimed).
		Update("claimed", true).Error
}

func idsOfRows(rows []recoveryDelivery) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.DeliveryID
	}
	return ids
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
func (s *Store) FinishRecoveryPage(ctx context.Context, id string, deliveries []models.Delivery) (models.Recovery, error) {
	ids := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.ID
	}
	recovery, err := s.changeRecovery(ctx, id, func(tx *gorm.DB, recovery *models.Recovery) error {
		return drop(tx, id, ids, &recovery.Resent)
	})
	if err != nil {
		return models.Recovery{}, fmt.Errorf("finish page: %w", err)
	}
	return recovery, nil
}
