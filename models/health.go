package models

import "time"

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

// HealthChange is a change of a webhook's health that its owner is notified of.
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
