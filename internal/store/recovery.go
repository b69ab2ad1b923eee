package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// includeFailedBefore is what the version before calls IncludeFailed. Its processes run while this one is deployed.
const includeFailedBefore models.Include = "permanently_failed"

// asNamedNow reads what the version before has written.
func asNamedNow(recovery *models.Recovery) {
	if recovery.Include == includeFailedBefore {
		recovery.Include = models.IncludeFailed
	}
}

// recoveryDelivery is what a recovery has still to bring to its webhook.
type recoveryDelivery struct {
	RecoveryID string `gorm:"primaryKey"`
	// DeliveryID is a delivery's ID or, until its turn comes and its delivery is made, that of a missed event. Events
	// sort behind deliveries.
	DeliveryID string `gorm:"primaryKey"`
	// AttemptCount is how many attempts the delivery had when it was collected: with more, it was resent.
	AttemptCount int
	// Claimed deliveries are being resent.
	Claimed bool
}

// CreateRecovery stores a new recovery and sets its ID, status and times. A webhook has one at a time: another
// is a *RecoveryActiveError.
func (s *Store) CreateRecovery(ctx context.Context, recovery *models.Recovery) error {
	recovery.CreatedAt = s.Now()
	recovery.UpdatedAt = recovery.CreatedAt
	recovery.ID = typeid.New(typeid.KindRecovery, recovery.CreatedAt)
	recovery.Status = models.RecoveryRunning
	err := s.db.WithContext(ctx).Create(recovery).Error
	if isUniqueViolation(err) {
		var active models.Recovery
		lookUpErr := s.db.WithContext(ctx).Select("id").
			Where("webhook_id = ? AND status IN ('running', 'paused')", recovery.WebhookID).Take(&active).Error
		if lookUpErr == nil {
			return &models.RecoveryActiveError{ID: active.ID}
		}
	}
	if err != nil {
		return fmt.Errorf("create recovery: %w", err)
	}
	return nil
}

// Recovery returns one recovery, or ErrNotFound.
func (s *Store) Recovery(ctx context.Context, scope models.Scope, id string) (models.Recovery, error) {
	var recovery models.Recovery
	if err := visible(scope, s.db.WithContext(ctx)).Where("id = ?", id).Take(&recovery).Error; err != nil {
		return models.Recovery{}, fmt.Errorf("load recovery: %w", oneRow(err))
	}
	asNamedNow(&recovery)
	return recovery, nil
}

// Recoveries lists recoveries, newest first, with the cursors of the pages beside.
func (s *Store) Recoveries(ctx context.Context, scope models.Scope, filter models.RecoveryFilter, page models.Page) ([]models.Recovery, models.Cursors, error) {
	recoveries, cursors, err := list(visible(scope, s.db.WithContext(ctx)), page, listing[models.Recovery]{
		kind: typeid.KindRecovery, id: func(r models.Recovery) string { return r.ID },
		filters: []oneOf{is("webhook_id", filter.WebhookIDs), is("status", filter.Statuses)},
	})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list recoveries: %w", err)
	}
	for i := range recoveries {
		asNamedNow(&recoveries[i])
	}
	return recoveries, cursors, nil
}

// UnstartedRecoveries returns recoveries that were made at or before a time and may have no workflow yet.
func (s *Store) UnstartedRecoveries(ctx context.Context, madeBy time.Time, limit int) ([]models.Recovery, error) {
	var recoveries []models.Recovery
	err := s.db.WithContext(ctx).
		Where("status IN ('running', 'paused') AND NOT collected AND created_at <= ?", madeBy.UTC()).
		Order("id").Limit(limit).Find(&recoveries).Error
	if err != nil {
		return nil, fmt.Errorf("list recoveries: %w", err)
	}
	return recoveries, nil
}

// SetRecoveryStatus pauses, resumes or cancels a recovery, with the reason, and returns it. One that has ended
// stays as it is.
func (s *Store) SetRecoveryStatus(ctx context.Context, id string, status models.RecoveryStatus, reason string) (models.Recovery, error) {
	recovery, err := s.changeRecovery(ctx, id, func(_ *gorm.DB, recovery *models.Recovery) error {
		recovery.Status, recovery.Reason = status, reason
		return nil
	})
	if err == nil && recovery.Status == models.RecoveryCancelled {
		err = s.forgetRecoveryDeliveries(ctx, id)
	}
	if err != nil {
		return models.Recovery{}, fmt.Errorf("change recovery: %w", err)
	}
	return recovery, nil
}

// TouchRecovery returns a recovery as it is now. Unless it has ended, its UpdatedAt is later than at any call before,
// whatever process made that: it tells the order of requests.
func (s *Store) TouchRecovery(ctx context.Context, id string) (models.Recovery, error) {
	recovery, err := s.changeRecovery(ctx, id, func(_ *gorm.DB, recovery *models.Recovery) error {
		recovery.UpdatedAt = recovery.UpdatedAt.Add(time.Microsecond)
		return nil
	})
	if err != nil {
		return models.Recovery{}, fmt.Errorf("touch recovery: %w", err)
	}
	return recovery, nil
}

// changeRecovery changes the status and the counts of a recovery under a lock, unless it has ended.
func (s *Store) changeRecovery(ctx context.Context, id string, change func(*gorm.DB, *models.Recovery) error) (models.Recovery, error) {
	var recovery models.Recovery
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := forUpdate(tx).Where("id = ?", id).Take(&recovery).Error; err != nil {
			return oneRow(err)
		}
		asNamedNow(&recovery)
		before := recovery
		if recovery.Status.Finished() {
			return nil
		}
		if err := change(tx, &recovery); err != nil || recovery == before {
			return err
		}
		recovery.UpdatedAt = recovery.UpdatedAt.UTC()
		if now := s.Now(); now.After(recovery.UpdatedAt) { // else another host's clock is ahead
			recovery.UpdatedAt = now
		}
		if recovery.Status.Finished() {
			recovery.FinishedAt = &recovery.UpdatedAt
		}
		return tx.Model(&recovery).Select("status", "reason", "collected", "collected_to", "collected_at", "total", "resent", "skipped",
			"updated_at", "finished_at").Updates(&recovery).Error
	})
	return recovery, err
}

// forgetRecoveryDeliveries deletes what a cancelled recovery had still to do, in parts: there may be millions,
// and SQLite has one writer.
func (s *Store) forgetRecoveryDeliveries(ctx context.Context, id string) error {
	const atOnce = 10_000
	for {
		result := s.db.WithContext(ctx).Exec(`DELETE FROM recovery_deliveries WHERE recovery_id = ? AND delivery_id IN (
			SELECT delivery_id FROM recovery_deliveries WHERE recovery_id = ? LIMIT ?)`, id, id, atOnce)
		if result.Error != nil || result.RowsAffected < atOnce {
			return result.Error
		}
	}
}

// webhookStops says why a webhook's deliveries cannot be resent, and whether that is for ever; empty when
// they can.
func webhookStops(tx *gorm.DB, id string) (reason string, forEver bool, err error) {
	var webhook models.Webhook
	err = tx.Select("active", "suspended", "disabled_reason", "deleted_at").Where("id = ?", id).Take(&webhook).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound), err == nil && webhook.DeletedAt != nil:
		return "the webhook was deleted", true, nil
	case err == nil && webhook.Suspended:
		return models.ErrOwnerSuspended.Error(), false, nil
	case err != nil || webhook.Active:
		return "", false, err
	case webhook.DisabledReason != "":
		return "the webhook is disabled: " + webhook.DisabledReason, false, nil
	default:
		return "the webhook is paused", false, nil
	}
}
