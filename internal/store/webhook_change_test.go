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

// change changes a webhook.
func change(t *testing.T, store *store.Store, id string, change func(*models.Webhook)) models.Webhook {
	t.Helper()
	webhook, err := store.UpdateWebhook(t.Context(), everything, id, func(w *models.Webhook) error { change(w); return nil })
	require.NoError(t, err)
	return webhook
}

// A changed limit gives the moments out anew, also to who asks by the old limit, which was read before the change. What
// changes nothing of it leaves them given.
func TestMomentsAfterAChange(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		const old = 0.01
		limit := func(perSecond float64) func(*models.Webhook) {
			return func(w *models.Webhook) { w.RateLimit = &perSecond }
		}
		lift := func(w *models.Webhook) { w.RateLimit = nil }
		pause := func(w *models.Webhook) { w.Active = false }
		resume := func(w *models.Webhook) { w.Active = true }
		describe := func(w *models.Webhook) { w.Description = "x" }
		for name, test := range map[string]struct {
			changes []func(*models.Webhook)
			then    []time.Duration
			anew    bool
		}{
			"described": {[]func(*models.Webhook){describe}, []time.Duration{500 * time.Second, 600 * time.Second}, false},
			"the same":  {[]func(*models.Webhook){limit(old)}, []time.Duration{500 * time.Second, 600 * time.Second}, false},
			"paused":    {[]func(*models.Webhook){pause}, []time.Duration{500 * time.Second, 600 * time.Second}, false},
			"raised":    {[]func(*models.Webhook){limit(100)}, []time.Duration{0, 10 * time.Millisecond, 20 * time.Millisecond}, true},
			"lowered":   {[]func(*models.Webhook){limit(0.004)}, []time.Duration{0, 250 * time.Second}, true},
			"lifted":    {[]func(*models.Webhook){lift}, []time.Duration{0, 0, 0}, true},
			"and set":   {[]func(*models.Webhook){lift, limit(100)}, []time.Duration{0, 10 * time.Millisecond}, true},
			"resumed":   {[]func(*models.Webhook){pause, resume}, []time.Duration{0, 100 * time.Second}, true},
		} {
			t.Run(name, func(t *testing.T) {
				store, clock := clockedStore(t, db)
				webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
				change(t, store, webhook.ID, limit(old))
				reserve := func(held *models.Reservation) models.Reservation {
					reservation, err := store.ReserveRequest(t.Context(), webhook.ID, old, held)
					require.NoError(t, err)
					return reservation
				}
				var last models.Reservation
				for range 5 {
					last = reserve(nil)
				}
				require.Equal(t, 400*time.Second, last.At.Sub(clock.Now()))
				for _, do := range test.changes {
					change(t, store, webhook.ID, do)
				}
				for _, want := range test.then {
					require.Equal(t, want, reserve(nil).At.Sub(clock.Now()))
				}
				require.Equal(t, test.anew, reserve(&last).At != last.At, "who holds a moment keeps it unless it is void")
			})
		}
	})
}

// What a change set holds for those who read the webhook before it; the next minute's readers know the limit themselves.
func TestMomentsSomeTimeAfterAChange(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		hundred := 100.0
		change(t, store, webhook.ID, func(w *models.Webhook) { w.RateLimit = &hundred })
		clock.Advance(time.Minute)
		for _, want := range []time.Duration{0, time.Second} {
			reservation, err := store.ReserveRequest(t.Context(), webhook.ID, 1, nil)
			require.NoError(t, err)
			require.Equal(t, want, reservation.At.Sub(clock.Now()))
		}
	})
}

// Health and throttle end with the URL, and an attempt that was on its way to the old one changes nothing of the new
// one: not by its failure, nor by its success, nor by a 410.
func TestHealthEndsWithTheURL(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		attempt := func(receiver int, status models.Status, disable string) {
			delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
			until := clock.Now().Add(time.Hour)
			outcome := models.Outcome{Status: status, RunID: "run", DisableWebhook: disable, Attempt: models.Attempt{
				ID: typeid.New(typeid.KindAttempt, clock.Now()), DeliveryID: delivery.ID, Number: 1,
				Trigger: models.TriggerSchedule, DurationMS: 6000, StartedAt: clock.Now(),
			}, Health: models.WebhookHealth{Receiver: receiver}}
			if status != models.StatusDelivered {
				outcome.Attempt.ErrorClass, outcome.ThrottledUntil = models.ErrorHTTPStatus, &until
			}
			record(t, store, outcome)
		}
		health := func() models.WebhookHealth {
			healths, err := store.WebhookHealths(t.Context(), []string{webhook.ID})
			require.NoError(t, err)
			return healths[webhook.ID]
		}
		move := func(url string) {
			change(t, store, webhook.ID, func(w *models.Webhook) { w.URL = url })
		}
		for range 10 {
			attempt(0, models.StatusPermanentlyFailed, "")
		}
		require.Equal(t, 10, health().ConsecutiveFailures)
		require.NotNil(t, health().FailingSince)
		require.NotNil(t, health().ThrottledUntil)

		move("https://new.example.com/")
		blank := models.WebhookHealth{WebhookID: webhook.ID, Receiver: 1}
		require.Equal(t, blank, health())
		attempt(0, models.StatusPermanentlyFailed, "")
		attempt(0, models.StatusDelivered, "")
		attempt(0, models.StatusPermanentlyFailed, "the receiver answered 410 Gone")
		require.Equal(t, blank, health())
		stored, err := store.Webhook(t.Context(), everything, webhook.ID)
		require.NoError(t, err)
		require.True(t, stored.Active)

		attempt(1, models.StatusPermanentlyFailed, "")
		require.Equal(t, 1, health().ConsecutiveFailures)
		move("https://new.example.com/")
		require.Equal(t, 1, health().ConsecutiveFailures, "it is the same receiver")
		move("https://example.com/hook")
		require.Equal(t, models.WebhookHealth{WebhookID: webhook.ID, Receiver: 2}, health())
		published := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
		if published.Jobs != nil {
			require.Equal(t, 2, published.Jobs[0].Health.Receiver)
		}
		job, err := store.Job(t.Context(), published.Deliveries[0].ID, "")
		require.NoError(t, err)
		require.Equal(t, 2, job.Health.Receiver)
	})
}

// A webhook that was never called can be moved, too.
func TestURLOfAWebhookWithoutHealth(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		change(t, store, webhook.ID, func(w *models.Webhook) { w.URL = "https://new.example.com/" })
		healths, err := store.WebhookHealths(t.Context(), []string{webhook.ID})
		require.NoError(t, err)
		require.Equal(t, 1, healths[webhook.ID].Receiver)
	})
}

func TestWaitingDeliveries(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		byStatus := map[models.Status][]string{}
		for _, status := range []models.Status{models.StatusPending, models.StatusFailed, models.StatusDelivered, models.StatusPending, models.StatusPermanentlyFailed, models.StatusFailed} {
			for _, delivery := range storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries {
				if delivery.WebhookID != webhook.ID {
					continue
				}
				if status != models.StatusPending {
					attempted(t, store, delivery, 1, status)
				}
				byStatus[status] = append(byStatus[status], delivery.ID)
			}
		}
		for _, status := range []models.Status{models.StatusPending, models.StatusFailed} {
			want := byStatus[status]
			require.Len(t, want, 2)
			all, err := store.WaitingDeliveries(t.Context(), webhook.ID, status, "", 10)
			require.NoError(t, err)
			require.ElementsMatch(t, want, all)
			rest, err := store.WaitingDeliveries(t.Context(), webhook.ID, status, all[0], 10)
			require.NoError(t, err)
			require.Equal(t, all[1:], rest)
			first, err := store.WaitingDeliveries(t.Context(), webhook.ID, status, "", 1)
			require.NoError(t, err)
			require.Equal(t, all[:1], first)
		}
	})
}
