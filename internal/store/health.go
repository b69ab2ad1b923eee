package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// WebhookHealths returns the health of webhooks by their ID; one that was never called is not among them.
func (s *Store) WebhookHealths(ctx context.Context, ids []string) (map[string]models.WebhookHealth, error) {
	var rows []models.WebhookHealth
	if err := s.on(ctx).Where("webhook_id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("load health: %w", err)
	}
	healths := make(map[string]models.WebhookHealth, len(rows))
	for _, row := range rows {
		healths[row.WebhookID] = row
	}
	return healths, nil
}

// healthColumns are named: a star would break in a process that runs while one is added.
const healthColumns = `webhook_id, receiver, consecutive_failures, failed_deliveries, first_failure_at, last_failure_at,
    last_success_at, slow_at, throttled_until, failing_since, told_at`

// A success that began before the last failure says nothing of what came after: it lifts no throttle.
const countSuccessSQL = `
INSERT INTO webhook_health AS h (webhook_id, receiver, consecutive_failures, failed_deliveries, last_success_at, slow_at)
VALUES (@id, @receiver, 0, 0, @at, @slow)
ON CONFLICT (webhook_id) DO UPDATE SET consecutive_failures = 0, failed_deliveries = 0, first_failure_at = NULL,
    last_success_at = excluded.last_success_at, slow_at = excluded.slow_at,
    throttled_until = CASE WHEN h.last_failure_at < @started THEN NULL ELSE h.throttled_until END
WHERE h.receiver = excluded.receiver
RETURNING ` + healthColumns

const countFailureSQL = `
INSERT INTO webhook_health AS h (webhook_id, receiver, consecutive_failures, failed_deliveries, first_failure_at, last_failure_at,
    slow_at, throttled_until)
VALUES (@id, @receiver, 1, @given_up, @at, @at, @slow, @throttled_until)
ON CONFLICT (webhook_id) DO UPDATE SET consecutive_failures = h.consecutive_failures + 1,
    failed_deliveries = h.failed_deliveries + excluded.failed_deliveries,
    first_failure_at = COALESCE(h.first_failure_at, excluded.first_failure_at),
    last_failure_at = excluded.last_failure_at, slow_at = COALESCE(excluded.slow_at, h.slow_at),
    throttled_until = CASE WHEN h.throttled_until > excluded.throttled_until THEN h.throttled_until
        ELSE COALESCE(excluded.throttled_until, h.throttled_until) END
WHERE h.receiver = excluded.receiver
RETURNING ` + healthColumns

// countAttempt notes an attempt in its webhook's health, within the transaction that records it, and returns
// the health with the change that the attempt brought about, if any. An attempt that went to an earlier URL of the
// webhook says nothing of it.
func (s *Store) countAttempt(tx *gorm.DB, outcome models.Outcome, webhookID string) (models.WebhookHealth, models.HealthChange, error) {
	var h models.WebhookHealth
	attempt := outcome.Attempt
	took := time.Duration(attempt.DurationMS) * time.Millisecond
	at := outcome.AnsweredAt()
	values := map[string]any{
		"id": webhookID, "receiver": outcome.Health.Receiver, "at": at, "started": attempt.StartedAt.UTC(), "slow": nil, "given_up": 0,
		"throttled_until": outcome.ThrottledUntil,
	}
	if took >= models.SlowAttempt {
		values["slow"] = at
	}
	if outcome.Status == models.StatusPermanentlyFailed {
		values["given_up"] = 1
	}
	statement := countFailureSQL
	if outcome.Status == models.StatusDelivered {
		statement = countSuccessSQL
	}
	counted := tx.Raw(statement, values).Find(&h)
	if counted.Error != nil || counted.RowsAffected == 0 {
		return h, "", counted.Error
	}
	change, err := s.change(tx, &h, outcome, at)
	if err != nil || change == "" {
		return h, "", err
	}
	h.Change, h.ChangedBy = change, attempt.ID
	err = tx.Model(&h).Select("failing_since", "told_at", "change", "changed_by").Updates(&h).Error
	return h, change, err
}

// change decides whether an attempt turned a webhook's health.
func (s *Store) change(tx *gorm.DB, h *models.WebhookHealth, outcome models.Outcome, at time.Time) (models.HealthChange, error) {
	if outcome.Status == models.StatusDelivered {
		if h.FailingSince == nil {
			return "", nil
		}
		h.FailingSince = nil
		return models.ChangeRecovered, nil
	}
	reason := outcome.DisableWebhook
	if reason == "" && s.health.Disables(*h, at) {
		reason = fmt.Sprintf("nothing has succeeded since %s and %d deliveries failed",
			h.FirstFailureAt.UTC().Format(time.RFC3339), h.FailedDeliveries)
	}
	if reason != "" {
		disabled := tx.Model(&models.Webhook{}).Where("active AND id = ?", h.WebhookID).
			Updates(map[string]any{"active": false, "disabled_reason": reason, "updated_at": s.Now()})
		if disabled.Error != nil || disabled.RowsAffected == 0 {
			return "", disabled.Error
		}
		return models.ChangeDisabled, nil
	}
	if !s.health.Failing(*h, at) {
		return "", nil
	}
	h.FailingSince, h.ToldAt = &at, &at
	return models.ChangeFailing, nil
}

// changeBy finds the change that an attempt brought about when it was recorded.
func changeBy(tx *gorm.DB, attempt models.Attempt, change *models.HealthChange) error {
	return tx.Model(&models.WebhookHealth{}).Select("change").
		Where("webhook_id = (SELECT webhook_id FROM deliveries WHERE id = ?) AND changed_by = ?", attempt.DeliveryID, attempt.ID).
		Scan(change).Error
}

// forgetFailures starts a webhook's health anew, because someone has enabled it again.
func forgetFailures(tx *gorm.DB, webhookID string) error {
	return tx.Model(&models.WebhookHealth{}).Where("webhook_id = ?", webhookID).Updates(map[string]any{
		"consecutive_failures": 0, "failed_deliveries": 0, "first_failure_at": nil, "slow_at": nil, "failing_since": nil,
		"throttled_until": nil,
	}).Error
}

const newReceiverSQL = `
INSERT INTO webhook_health AS h (webhook_id, receiver, consecutive_failures, failed_deliveries) VALUES (?, 1, 0, 0)
ON CONFLICT (webhook_id) DO UPDATE SET receiver = h.receiver + 1, consecutive_failures = 0, failed_deliveries = 0,
    first_failure_at = NULL, last_failure_at = NULL, last_success_at = NULL, slow_at = NULL, throttled_until = NULL,
    failing_since = NULL, told_at = NULL, change = '', changed_by = ''`

// newReceiver starts a webhook's health anew, because another receiver answers from now on.
func newReceiver(tx *gorm.DB, webhookID string) error {
	return tx.Exec(newReceiverSQL, webhookID).Error
}
