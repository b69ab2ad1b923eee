package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// RecoveryStatus says how far a recovery is.
type RecoveryStatus string

// The statuses of recoveries. Completed and cancelled are ends.
const (
	RecoveryRunning   RecoveryStatus = "running"
	RecoveryPaused    RecoveryStatus = "paused"
	RecoveryCompleted RecoveryStatus = "completed"
	RecoveryCancelled RecoveryStatus = "cancelled"
)

// Finished says that nothing more happens.
func (s RecoveryStatus) Finished() bool { return s == RecoveryCompleted || s == RecoveryCancelled }

// Include says what a recovery brings to its webhook. Each includes what the one before does.
type Include string

// What a recovery can include. Tests never are.
const (
	// IncludeFailed is what did not reach the receiver: given up, or cancelled because the webhook was inactive.
	IncludeFailed Include = "failed"
	// IncludeMissed is also the events that the webhook's patterns match and that have no delivery to it, because it
	// was inactive, had other patterns or did not exist.
	IncludeMissed Include = "missed"
	// IncludeAll is also what was delivered, and what someone cancelled.
	IncludeAll Include = "all"
)

// includeFailedBefore is what the version before calls IncludeFailed. Its processes run while this one is deployed.
const includeFailedBefore Include = "permanently_failed"

// Missed says that events without a delivery are included.
func (i Include) Missed() bool { return i == IncludeMissed || i == IncludeAll }

// Wants says that a delivery is included as it is now.
func (i Include) Wants(delivery Delivery) bool {
	switch delivery.Status {
	case StatusPermanentlyFailed:
		return true
	case StatusCancelled:
		return delivery.CancelCause == CauseInactive || i == IncludeAll
	case StatusDelivered:
		return i == IncludeAll
	default:
		return false
	}
}

// Recovery brings to a webhook what it did not get in a time.
type Recovery struct {
	ID        string `gorm:"primaryKey"`
	WebhookID string
	OwnerID   string
	// Since and Until limit the recovery to deliveries that ended, and to missed events that were published, at or
	// after the one and before the other.
	Since, Until time.Time
	Include      Include
	// Rate is how many deliveries are started per second.
	Rate   int
	Status RecoveryStatus
	// Reason says why it is paused or was cancelled; empty otherwise.
	Reason string
	// Collected says that everything it is about is known: Total is final. CollectedTo is the ID of the last delivery
	// or event that was looked at; CollectedAt is when that delivery ended, where they are looked at by that.
	Collected   bool
	CollectedTo string
	CollectedAt *time.Time
	// Total deliveries are Resent, Skipped, or still to be done. Those skipped have been tried or have changed
	// since the recovery began.
	Total, Resent, Skipped int64
	CreatedAt              time.Time
	UpdatedAt              time.Time `gorm:"autoUpdateTime:false"`
	FinishedAt             *time.Time
}

// asNamedNow reads what the version before has written.
func asNamedNow(recovery *Recovery) {
	if recovery.Include == includeFailedBefore {
		recovery.Include = IncludeFailed
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

// RecoveryActiveError says that a webhook has a recovery that has not ended.
type RecoveryActiveError struct {
	// ID of that recovery.
	ID string
}

// Error names the recovery.
func (e *RecoveryActiveError) Error() string { return "the webhook has the recovery " + e.ID }

// CreateRecovery stores a new recovery and sets its ID, status and times. A webhook has one at a time: another
// is a *RecoveryActiveError.
func (s *Store) CreateRecovery(ctx context.Context, recovery *Recovery) error {
	recovery.CreatedAt = s.Now()
	recovery.UpdatedAt = recovery.CreatedAt
	recovery.ID = NewID(KindRecovery, recovery.CreatedAt)
	recovery.Status = RecoveryRunning
	err := s.db.WithContext(ctx).Create(recovery).Error
	if isUniqueViolation(err) {
		var active Recovery
		lookUpErr := s.db.WithContext(ctx).Select("id").
			Where("webhook_id = ? AND status IN ('running', 'paused')", recovery.WebhookID).Take(&active).Error
		if lookUpErr == nil {
			return &RecoveryActiveError{active.ID}
		}
	}
	if err != nil {
		return fmt.Errorf("create recovery: %w", err)
	}
	return nil
}

// Recovery returns one recovery, or ErrNotFound.
func (s *Store) Recovery(ctx context.Context, scope Scope, id string) (Recovery, error) {
	var recovery Recovery
	if err := visible(scope, s.db.WithContext(ctx)).Where("id = ?", id).Take(&recovery).Error; err != nil {
		return Recovery{}, fmt.Errorf("load recovery: %w", oneRow(err))
	}
	asNamedNow(&recovery)
	return recovery, nil
}

// RecoveryFilter narrows a list of recoveries; its zero value narrows nothing.
type RecoveryFilter struct {
	WebhookID string
	Status    RecoveryStatus
}

// Recoveries lists recoveries, newest first, with the cursor of the next page.
func (s *Store) Recoveries(ctx context.Context, scope Scope, filter RecoveryFilter, page Page) ([]Recovery, string, error) {
	q := visible(scope, s.db.WithContext(ctx))
	if filter.WebhookID != "" {
		q = q.Where("webhook_id = ?", filter.WebhookID)
	}
	if filter.Status != "" {
		q = q.Where("status = ?", filter.Status)
	}
	q, err := onPage(page, q, KindRecovery)
	if err != nil {
		return nil, "", err
	}
	var recoveries []Recovery
	if err := q.Find(&recoveries).Error; err != nil {
		return nil, "", fmt.Errorf("list recoveries: %w", err)
	}
	for i := range recoveries {
		asNamedNow(&recoveries[i])
	}
	recoveries, next := cut(page, recoveries, func(r Recovery) string { return r.ID })
	return recoveries, next, nil
}

// UnstartedRecoveries returns recoveries that were made at or before a time and may have no workflow yet.
func (s *Store) UnstartedRecoveries(ctx context.Context, madeBy time.Time, limit int) ([]Recovery, error) {
	var recoveries []Recovery
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
func (s *Store) SetRecoveryStatus(ctx context.Context, id string, status RecoveryStatus, reason string) (Recovery, error) {
	recovery, err := s.changeRecovery(ctx, id, func(_ *gorm.DB, recovery *Recovery) error {
		recovery.Status, recovery.Reason = status, reason
		return nil
	})
	if err == nil && recovery.Status == RecoveryCancelled {
		err = s.forgetRecoveryDeliveries(ctx, id)
	}
	if err != nil {
		return Recovery{}, fmt.Errorf("change recovery: %w", err)
	}
	return recovery, nil
}

// TouchRecovery returns a recovery as it is now. Unless it has ended, its UpdatedAt is later than at any call before,
// whatever process made that: it tells the order of requests.
func (s *Store) TouchRecovery(ctx context.Context, id string) (Recovery, error) {
	recovery, err := s.changeRecovery(ctx, id, func(_ *gorm.DB, recovery *Recovery) error {
		recovery.UpdatedAt = recovery.UpdatedAt.Add(time.Microsecond)
		return nil
	})
	if err != nil {
		return Recovery{}, fmt.Errorf("touch recovery: %w", err)
	}
	return recovery, nil
}

// changeRecovery changes the status and the counts of a recovery under a lock, unless it has ended.
func (s *Store) changeRecovery(ctx context.Context, id string, change func(*gorm.DB, *Recovery) error) (Recovery, error) {
	var recovery Recovery
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
	var webhook Webhook
	err = tx.Select("active", "suspended", "disabled_reason", "deleted_at").Where("id = ?", id).Take(&webhook).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound), err == nil && webhook.DeletedAt != nil:
		return "the webhook was deleted", true, nil
	case err == nil && webhook.Suspended:
		return ErrOwnerSuspended.Error(), false, nil
	case err != nil || webhook.Active:
		return "", false, err
	case webhook.DisabledReason != "":
		return "the webhook is disabled: " + webhook.DisabledReason, false, nil
	default:
		return "the webhook is paused", false, nil
	}
}
