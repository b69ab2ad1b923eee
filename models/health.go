package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

const (
	// SlowAttempt is how long an attempt takes that counts as slow.
	SlowAttempt = 5 * time.Second
	// sickFor is how long a webhook stays sick after what made it so.
	sickFor = 10 * time.Minute
	// successEvery is how exact LastSuccessAt is: a healthy webhook's row is written no more often.
	successEvery = time.Minute
)

// WebhookHealth is what the last attempts say of a webhook's receiver. Tests do not count.
type WebhookHealth struct {
	WebhookID string `gorm:"primaryKey"`
	// Receiver counts the webhook's changes of URL: what an attempt learns of an earlier receiver does not count.
	Receiver int
	// ConsecutiveFailures counts the attempts that failed since the last success, FailedDeliveries the
	// deliveries that were given up since then.
	ConsecutiveFailures int
	FailedDeliveries    int
	// FirstFailureAt is when the first of them failed; nil when the last attempt succeeded.
	FirstFailureAt *time.Time
	LastFailureAt  *time.Time
	// LastSuccessAt is exact to a minute.
	LastSuccessAt *time.Time
	// SlowAt is when an attempt last took SlowAttempt or longer; nil after one that was quick.
	SlowAt *time.Time
	// ThrottledUntil is until when first attempts keep away, because the receiver asked for it or seems to be
	// overloaded.
	ThrottledUntil *time.Time
	// FailingSince is set while the webhook is failing by the HealthPolicy: when it was declared so.
	FailingSince *time.Time
	// ToldAt is when the webhook last began to fail, so that one that flaps is not told of all the time.
	ToldAt *time.Time
	// Change is the last change of the webhook's health, and ChangedBy the attempt that brought it about.
	Change    HealthChange
	ChangedBy string
}

// TableName is the table of webhooks' health.
func (WebhookHealth) TableName() string { return "webhook_health" }

// Sick says that requests to the webhook must not get in the way of others: it was slow lately, or failed at
// least twice in a row.
func (h WebhookHealth) Sick(now time.Time) bool {
	lately := func(at *time.Time) bool { return at != nil && now.Sub(*at) < sickFor }
	return lately(h.SlowAt) || h.ConsecutiveFailures > 1 && lately(h.LastFailureAt)
}

// Settled says that a quick success at a time would change nothing that is worth a write.
func (h WebhookHealth) Settled(at time.Time) bool {
	return h.ConsecutiveFailures == 0 && h.SlowAt == nil && h.FailingSince == nil &&
		h.LastSuccessAt != nil && at.Sub(*h.LastSuccessAt) < successEvery
}

// HealthChange is a turn in a webhook's health that its owner is told of.
type HealthChange string

// The changes.
const (
	ChangeFailing   HealthChange = "failing"
	ChangeDisabled  HealthChange = "disabled"
	ChangeRecovered HealthChange = "recovered"
)

// HealthPolicy says when a webhook counts as failing and when it is disabled.
type HealthPolicy struct {
	// FailingDeliveries given up in a row, or FailingAfter since the first failure without any success, make a
	// webhook failing. It is not declared so twice within Quiet.
	FailingDeliveries int
	FailingAfter      time.Duration
	Quiet             time.Duration
	// A webhook is disabled when nothing succeeded for DisableAfter and DisableDeliveries were given up. A
	// DisableAfter of 0 disables none.
	DisableAfter      time.Duration
	DisableDeliveries int
}

// DefaultHealthPolicy is the policy of an installation that sets none.
func DefaultHealthPolicy() HealthPolicy {
	return HealthPolicy{
		FailingDeliveries: 10, FailingAfter: 24 * time.Hour, Quiet: time.Hour,
		DisableAfter: 5 * 24 * time.Hour, DisableDeliveries: 10,
	}
}

// Failing says that the policy calls a webhook failing from now on.
func (p HealthPolicy) Failing(h WebhookHealth, at time.Time) bool {
	told := h.ToldAt != nil && at.Sub(*h.ToldAt) < p.Quiet
	return h.FailingSince == nil && !told &&
		(h.FailedDeliveries >= p.FailingDeliveries || at.Sub(*h.FirstFailureAt) >= p.FailingAfter)
}

// Disables says that the policy disables a webhook now.
func (p HealthPolicy) Disables(h WebhookHealth, at time.Time) bool {
	return p.DisableAfter > 0 && at.Sub(*h.FirstFailureAt) >= p.DisableAfter && h.FailedDeliveries >= p.DisableDeliveries
}

// WebhookHealths returns the health of webhooks by their ID; one that was never called is not among them.
func (s *Store) WebhookHealths(ctx context.Context, ids []string) (map[string]WebhookHealth, error) {
	var rows []WebhookHealth
	if err := s.db.WithContext(ctx).Where("webhook_id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("load health: %w", err)
	}
	healths := make(map[string]WebhookHealth, len(rows))
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
func (s *Store) countAttempt(tx *gorm.DB, outcome Outcome, webhookID string) (WebhookHealth, HealthChange, error) {
	var h WebhookHealth
	attempt := outcome.Attempt
	took := time.Duration(attempt.DurationMS) * time.Millisecond
	at := outcome.AnsweredAt()
	values := map[string]any{
		"id": webhookID, "receiver": outcome.Health.Receiver, "at": at, "started": attempt.StartedAt.UTC(), "slow": nil, "given_up": 0,
		"throttled_until": outcome.ThrottledUntil,
	}
	if took >= SlowAttempt {
		values["slow"] = at
	}
	if outcome.Status == StatusPermanentlyFailed {
		values["given_up"] = 1
	}
	statement := countFailureSQL
	if outcome.Status == StatusDelivered {
		statement = countSuccessSQL
	}
	counted := tx.Raw(statement, values).Scan(&h)
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
func (s *Store) change(tx *gorm.DB, h *WebhookHealth, outcome Outcome, at time.Time) (HealthChange, error) {
	if outcome.Status == StatusDelivered {
		if h.FailingSince == nil {
			return "", nil
		}
		h.FailingSince = nil
		return ChangeRecovered, nil
	}
	reason := outcome.DisableWebhook
	if reason == "" && s.health.Disables(*h, at) {
		reason = fmt.Sprintf("nothing has succeeded since %s and %d deliveries failed",
			h.FirstFailureAt.UTC().Format(time.RFC3339), h.FailedDeliveries)
	}
	if reason != "" {
		disabled := tx.Model(&Webhook{}).Where("active AND id = ?", h.WebhookID).
			Updates(map[string]any{"active": false, "disabled_reason": reason, "updated_at": s.Now()})
		if disabled.Error != nil || disabled.RowsAffected == 0 {
			return "", disabled.Error
		}
		return ChangeDisabled, nil
	}
	if !s.health.Failing(*h, at) {
		return "", nil
	}
	h.FailingSince, h.ToldAt = &at, &at
	return ChangeFailing, nil
}

// changeBy finds the change that an attempt brought about when it was recorded.
func changeBy(tx *gorm.DB, attempt Attempt, change *HealthChange) error {
	return tx.Model(&WebhookHealth{}).Select("change").
		Where("webhook_id = (SELECT webhook_id FROM deliveries WHERE id = ?) AND changed_by = ?", attempt.DeliveryID, attempt.ID).
		Scan(change).Error
}

// forgetFailures starts a webhook's health anew, because someone has enabled it again.
func forgetFailures(tx *gorm.DB, webhookID string) error {
	return tx.Model(&WebhookHealth{}).Where("webhook_id = ?", webhookID).Updates(map[string]any{
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
