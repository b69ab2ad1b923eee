package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// patient is a webhook whose health is looked at.
type patient struct {
	t       *testing.T
	store   *store.Store
	clock   *storetest.Clock
	webhook models.Webhook
}

// onEachPatient runs a test on every kind of database.
func onEachPatient(t *testing.T, test func(t *testing.T, p *patient)) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		test(t, &patient{t: t, store: store, clock: clock, webhook: makeWebhook(t, store, models.DefaultOwnerID, "*")})
	})
}

// attempt publishes an event whose first attempt ends so, a second later than what was before.
func (p *patient) attempt(status models.Status, change ...func(*models.Outcome)) models.Recorded {
	p.t.Helper()
	p.clock.Advance(time.Second)
	delivery := storetest.Publish(p.t, p.store, models.Event{Type: "order.paid", Data: []byte(`{}`), OwnerID: p.webhook.OwnerID}).Deliveries[0]
	return p.record(delivery, status, change...)
}

func (p *patient) record(delivery models.Delivery, status models.Status, change ...func(*models.Outcome)) models.Recorded {
	p.t.Helper()
	now := p.store.Now()
	outcome := models.Outcome{Status: status, RunID: "run", Health: p.health(), Attempt: models.Attempt{
		ID: typeid.New(typeid.KindAttempt, now), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule, StartedAt: now,
	}}
	if status != models.StatusDelivered {
		outcome.Attempt.ErrorClass, outcome.Attempt.Error = models.ErrorHTTPStatus, "the receiver answered 500"
	}
	for _, change := range change {
		change(&outcome)
	}
	recorded, err := p.store.RecordAttempt(p.t.Context(), outcome)
	require.NoError(p.t, err)
	again, err := p.store.RecordAttempt(p.t.Context(), outcome)
	require.NoError(p.t, err)
	require.Equal(p.t, models.Recorded{Change: recorded.Change}, again, "again, it changes nothing and says the same")
	return recorded
}

func (p *patient) health() models.WebhookHealth {
	p.t.Helper()
	healths, err := p.store.WebhookHealths(p.t.Context(), []string{p.webhook.ID})
	require.NoError(p.t, err)
	return healths[p.webhook.ID]
}

func (p *patient) row() models.Webhook {
	p.t.Helper()
	webhook, err := p.store.Webhook(p.t.Context(), everything, p.webhook.ID)
	require.NoError(p.t, err)
	return webhook
}

// enable does what PATCH {"active": true} does.
func (p *patient) enable() {
	p.t.Helper()
	_, err := p.store.UpdateWebhook(p.t.Context(), everything, p.webhook.ID, func(webhook *models.Webhook) error {
		webhook.Active, webhook.DisabledReason = true, ""
		return nil
	})
	require.NoError(p.t, err)
}

// giveUp fails so many deliveries for good and requires that none of them changes anything.
func (p *patient) giveUp(n int) {
	p.t.Helper()
	for range n {
		require.Empty(p.t, p.attempt(models.StatusPermanentlyFailed).Change)
	}
}

// A quick success is worth a write only once a minute, or when it changes more than its own time.
func TestHealthCountsAttempts(t *testing.T) {
	onEachPatient(t, func(t *testing.T, p *patient) {
		require.Zero(t, p.health(), "it was never called")
		p.attempt(models.StatusDelivered)
		success := p.clock.Now()
		p.attempt(models.StatusDelivered)
		requireTime(t, &success, p.health().LastSuccessAt)

		p.attempt(models.StatusFailed)
		first := p.clock.Now()
		p.attempt(models.StatusPermanentlyFailed)
		last := p.clock.Now()
		health := p.health()
		require.Equal(t, 2, health.ConsecutiveFailures)
		require.Equal(t, 1, health.FailedDeliveries)
		requireTime(t, &first, health.FirstFailureAt)
		requireTime(t, &last, health.LastFailureAt)
		requireTime(t, &success, health.LastSuccessAt)

		p.attempt(models.StatusDelivered)
		success = p.clock.Now()
		health = p.health()
		require.Zero(t, health.ConsecutiveFailures)
		require.Zero(t, health.FailedDeliveries)
		require.Nil(t, health.FirstFailureAt)
		requireTime(t, &last, health.LastFailureAt)
		requireTime(t, &success, health.LastSuccessAt)
	})
}

func TestTestsDoNotCount(t *testing.T) {
	onEachPatient(t, func(t *testing.T, p *patient) {
		delivery, err := p.store.PublishTest(t.Context(), p.webhook, []byte(`{}`))
		require.NoError(t, err)
		p.record(delivery, models.StatusPermanentlyFailed)
		require.Zero(t, p.health())
	})
}

// Who is sick leaves the fast lane to the others: for two failures in a row, or for taking long, but not for
// ever.
func TestSick(t *testing.T) {
	slowly := func(outcome *models.Outcome) { outcome.Attempt.DurationMS = models.SlowAttempt.Milliseconds() }
	onEachPatient(t, func(t *testing.T, p *patient) {
		sick := func() bool { return p.health().Sick(p.clock.Now()) }
		p.attempt(models.StatusFailed)
		require.False(t, sick())
		p.attempt(models.StatusFailed)
		require.True(t, sick())
		p.clock.Advance(10 * time.Minute)
		require.False(t, sick())
		p.attempt(models.StatusFailed)
		require.True(t, sick())
		p.attempt(models.StatusDelivered)
		require.False(t, sick())
		p.attempt(models.StatusDelivered, slowly)
		require.True(t, sick())
		p.attempt(models.StatusFailed)
		require.True(t, sick(), "a quick failure does not tell whether it is quick again")
		p.attempt(models.StatusDelivered)
		require.False(t, sick())
	})
}

func TestFailingAfterTenDeliveriesInARow(t *testing.T) {
	onEachPatient(t, func(t *testing.T, p *patient) {
		p.giveUp(9)
		p.attempt(models.StatusDelivered)
		p.giveUp(9)
		require.Equal(t, models.ChangeFailing, p.attempt(models.StatusPermanentlyFailed).Change)
		since := p.clock.Now()
		p.giveUp(20)
		requireTime(t, &since, p.health().FailingSince)
		require.Equal(t, models.ChangeRecovered, p.attempt(models.StatusDelivered).Change)
		require.Nil(t, p.health().FailingSince)
		require.Empty(t, p.attempt(models.StatusDelivered).Change)
	})
}

func TestFailingAfterADay(t *testing.T) {
	onEachPatient(t, func(t *testing.T, p *patient) {
		require.Empty(t, p.attempt(models.StatusFailed).Change)
		p.clock.Advance(24*time.Hour - 2*time.Second)
		require.Empty(t, p.attempt(models.StatusFailed).Change)
		require.Equal(t, models.ChangeFailing, p.attempt(models.StatusFailed).Change)
		require.Empty(t, p.attempt(models.StatusFailed).Change)
	})
}

// A webhook that fails and recovers all the time is told of once an hour.
func TestFlapping(t *testing.T) {
	onEachPatient(t, func(t *testing.T, p *patient) {
		changes := map[models.HealthChange]int{}
		began := p.clock.Now()
		for p.clock.Now().Sub(began) < 6*time.Hour {
			for range 12 {
				changes[p.attempt(models.StatusPermanentlyFailed).Change]++
			}
			changes[p.attempt(models.StatusDelivered).Change]++
			p.clock.Advance(5 * time.Minute)
		}
		require.GreaterOrEqual(t, changes[models.ChangeFailing], 5)
		require.LessOrEqual(t, changes[models.ChangeFailing], 6)
		require.Equal(t, changes[models.ChangeFailing], changes[models.ChangeRecovered])
		require.Zero(t, changes[models.ChangeDisabled])
	})
}

// Disabled is what nothing has succeeded at for five days, if that many deliveries were given up meanwhile.
func TestDisabledAfterFiveDays(t *testing.T) {
	const days = 24 * time.Hour
	onEachPatient(t, func(t *testing.T, p *patient) {
		require.Empty(t, p.attempt(models.StatusPermanentlyFailed).Change)
		first := p.clock.Now()
		p.clock.Set(first.Add(2 * days))
		require.Equal(t, models.ChangeFailing, p.attempt(models.StatusFailed).Change)
		p.clock.Set(first.Add(6 * days))
		p.giveUp(8)
		require.True(t, p.row().Active, "nine were given up")
		require.Equal(t, models.ChangeDisabled, p.attempt(models.StatusPermanentlyFailed).Change)
		webhook := p.row()
		require.False(t, webhook.Active)
		require.Equal(t, "nothing has succeeded since 2026-02-03T04:05:07Z and 10 deliveries failed", webhook.DisabledReason)

		p.enable()
		require.Zero(t, p.health().ConsecutiveFailures)
		require.Nil(t, p.health().FailingSince)
		p.giveUp(9)
		require.Equal(t, models.ChangeFailing, p.attempt(models.StatusPermanentlyFailed).Change, "it begins anew")
		require.True(t, p.row().Active)
	})
	t.Run("with a success in between", func(t *testing.T) {
		onEachPatient(t, func(t *testing.T, p *patient) {
			for range 10 {
				p.attempt(models.StatusPermanentlyFailed)
				p.clock.Advance(12 * time.Hour)
			}
			p.attempt(models.StatusDelivered)
			for range 9 {
				p.attempt(models.StatusPermanentlyFailed)
				p.clock.Advance(12 * time.Hour)
			}
			require.True(t, p.row().Active)
		})
	})
}

// An attempt that was under way when the webhook was disabled, or that finds it paused, disables nothing.
func TestDisabledOnce(t *testing.T) {
	gone := func(outcome *models.Outcome) { outcome.DisableWebhook = "the receiver answered 410 Gone" }
	onEachPatient(t, func(t *testing.T, p *patient) {
		late := storetest.Publish(t, p.store, models.Event{Type: "order.paid", Data: []byte(`{}`), OwnerID: p.webhook.OwnerID}).Deliveries[0]
		require.Equal(t, models.ChangeDisabled, p.attempt(models.StatusPermanentlyFailed, gone).Change)
		require.Equal(t, "the receiver answered 410 Gone", p.row().DisabledReason)
		require.Empty(t, p.record(late, models.StatusPermanentlyFailed, gone).Change)
		p.enable()
		require.Equal(t, models.ChangeDisabled, p.attempt(models.StatusPermanentlyFailed, gone).Change)
	})
}

func TestHealthPolicyOfAnInstallation(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		clock := storetest.NewClock()
		policy := models.DefaultHealthPolicy()
		policy.DisableAfter, policy.DisableDeliveries = time.Hour, 2
		s := storetest.New(t, db, store.Config{Now: clock.Now, Health: &policy})
		p := &patient{t: t, store: s, clock: clock, webhook: makeWebhook(t, s, models.DefaultOwnerID, "*")}
		p.giveUp(1)
		p.clock.Advance(time.Hour)
		require.Equal(t, models.ChangeDisabled, p.attempt(models.StatusPermanentlyFailed).Change)

		policy.DisableAfter = 0
		s = storetest.New(t, db, store.Config{Now: clock.Now, Health: &policy})
		p.store = s
		p.enable()
		p.giveUp(1)
		p.clock.Advance(1000 * 24 * time.Hour)
		p.attempt(models.StatusPermanentlyFailed)
		require.True(t, p.row().Active, "0 disables none")
	})
}
