package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func filtered(t testing.TB, s *store.Store, filter string, change ...func(*models.Webhook)) models.Webhook {
	t.Helper()
	return storetest.Webhook(t, s, append(change, func(webhook *models.Webhook) { webhook.Filter = filter })...)
}

// got returns the webhooks that get an event, with why their filters failed.
func got(t testing.TB, db *gorm.DB, eventID string) map[string]string {
	t.Helper()
	var deliveries []models.Delivery
	require.NoError(t, db.Where("event_id = ?", eventID).Find(&deliveries).Error)
	webhooks := map[string]string{}
	for _, delivery := range deliveries {
		require.NotContains(t, webhooks, delivery.WebhookID)
		webhooks[delivery.WebhookID] = delivery.FilterError
	}
	return webhooks
}

func TestFilteredWebhooksGetWhatPasses(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, _ := clockedStore(t, db)
		other := storetest.Owner(t, s, "other")
		all := storetest.Webhook(t, s)
		large := filtered(t, s, `data.amount > 100`)
		small := filtered(t, s, `data.amount <= 100`)
		broken := filtered(t, s, `data.total > 100`)
		ofOther := filtered(t, s, `data.amount > 100`, func(w *models.Webhook) { w.OwnerID = other.ID })
		filtered(t, s, `true`, func(w *models.Webhook) { w.Active = false })
		filtered(t, s, `true`, func(w *models.Webhook) { w.Events = []string{"other"} })

		publish := func(event models.Event) models.Published {
			event.Type = "order.created"
			published := storetest.Publish(t, s, event)
			require.Len(t, published.Deliveries, published.Event.DeliveryCount)
			stored, err := s.Event(t.Context(), everything, published.Event.ID)
			require.NoError(t, err)
			require.Equal(t, published.Event.DeliveryCount, stored.DeliveryCount)
			require.Equal(t, published.Event.DeliveryCount, len(got(t, db, published.Event.ID)))
			return published
		}
		const fault = "filter: line 1, column 5: there is no such member; ask has(…) first, or write .?name.orValue(…)"
		published := publish(models.Event{Data: []byte(`{"amount":150}`)})
		require.Equal(t, map[string]string{all.ID: "", large.ID: "", broken.ID: fault}, got(t, db, published.Event.ID))
		for _, delivery := range published.Deliveries {
			job, err := s.Job(t.Context(), delivery.ID, "")
			require.NoError(t, err)
			require.Equal(t, published.Event.ID, job.Event.ID)
			require.Equal(t, models.StatusPending, job.Delivery.Status)
		}
		published = publish(models.Event{Data: []byte(`{"amount":50}`)})
		require.Equal(t, map[string]string{all.ID: "", small.ID: "", broken.ID: fault}, got(t, db, published.Event.ID))
		published = publish(models.Event{Data: []byte(`{"amount":150,"total":1}`), Broadcast: true})
		require.Equal(t, map[string]string{all.ID: "", large.ID: "", ofOther.ID: ""}, got(t, db, published.Event.ID))
		published = publish(models.Event{Data: []byte(`{"amount":1}`), OwnerID: other.ID})
		require.Zero(t, published.Event.DeliveryCount)
	})
}

func TestFilteredEventsKeepTheirIdempotencyKeys(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, _ := clockedStore(t, db)
		filtered(t, s, `data.amount > 100`)
		key := "k"
		event := models.Event{Type: "order.created", Data: []byte(`{"amount":150}`), IdempotencyKey: &key}
		first := storetest.Publish(t, s, event)
		require.False(t, first.Duplicate)
		again := storetest.Publish(t, s, event)
		require.True(t, again.Duplicate)
		require.Equal(t, first.Event.ID, again.Event.ID)
		event.Data = []byte(`{"amount":1}`)
		_, err := s.Publish(t.Context(), event)
		require.ErrorIs(t, err, models.ErrIdempotencyConflict)
	})
}

// A filter that is changed counts from the next event on.
func TestFilterIsChanged(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, _ := clockedStore(t, db)
		webhook := storetest.Webhook(t, s)
		deliveries := func() int {
			return storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{"n":1}`)}).Event.DeliveryCount
		}
		set := func(filter, transform string) {
			changed, err := s.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
				w.Filter, w.Transform = filter, transform
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, filter, changed.Filter)
		}
		require.Equal(t, 1, deliveries())
		set(`data.n > 1`, "")
		require.Zero(t, deliveries())
		set(`data.n > 0`, "")
		require.Equal(t, 1, deliveries())
		set("", `{"sent": data.n}`)
		published := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{"n":1}`)})
		require.Len(t, published.Deliveries, 1)
		if len(published.Jobs) > 0 {
			require.Equal(t, `{"sent": data.n}`, published.Jobs[0].Webhook.Transform, "what was published has all that its attempt needs")
		}
		require.NoError(t, s.DeleteWebhook(t.Context(), everything, webhook.ID))
		var row models.Webhook
		require.NoError(t, db.Where("id = ?", webhook.ID).Take(&row).Error)
		require.Empty(t, row.Filter+row.Transform)
	})
}

// Filters and transformations see what owners have said of the webhook, as it is now.
func TestRulesSeeTheirWebhook(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, _ := clockedStore(t, db)
		const ofRegion = `webhook.metadata.region == metadata.region && webhook.external_id == "primary"`
		name := "primary"
		webhook := filtered(t, s, ofRegion, func(w *models.Webhook) { w.ExternalID, w.Metadata = &name, models.Metadata{"region": "eu"} })
		filtered(t, s, ofRegion, func(w *models.Webhook) { w.Metadata = models.Metadata{"region": "eu"} })
		change := func(change func(w *models.Webhook)) {
			_, err := s.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
				change(w)
				return nil
			})
			require.NoError(t, err)
		}
		event := func() models.Event {
			return models.Event{Type: "a", Data: []byte(`1`), Metadata: models.Metadata{"region": "eu"}}
		}
		deliveries := func() (counts []int) {
			broadcast, named := event(), event()
			broadcast.Broadcast, named.WebhookIDs = true, []string{webhook.ID}
			for _, event := range []models.Event{event(), broadcast, named} {
				counts = append(counts, storetest.Publish(t, s, event).Event.DeliveryCount)
			}
			return append(counts, publishAll(t, s, []models.Event{event()})[0].Published.Event.DeliveryCount)
		}
		require.Equal(t, []int{1, 1, 1, 1}, deliveries())
		change(func(w *models.Webhook) { w.Metadata = models.Metadata{"region": "us"} })
		require.Equal(t, []int{0, 0, 0, 0}, deliveries())
		change(func(w *models.Webhook) { w.Metadata = models.Metadata{"region": "eu"} })
		require.Equal(t, []int{1, 1, 1, 1}, deliveries())
		change(func(w *models.Webhook) { w.ExternalID = nil })
		require.Equal(t, []int{0, 0, 0, 0}, deliveries())

		change(func(w *models.Webhook) {
			w.ExternalID, w.Filter, w.Transform = &name, "", `webhook.external_id + webhook.metadata.region`
		})
		published := storetest.Publish(t, s, event())
		stored, err := s.Job(t.Context(), published.Deliveries[0].ID, "")
		require.NoError(t, err)
		for _, job := range append(published.Jobs, stored) {
			require.Equal(t, "primary", *job.Webhook.ExternalID)
			require.Equal(t, models.Metadata{"region": "eu"}, job.Webhook.Metadata)
		}
	})
}

// More webhooks with filters than may share a batch, or than a process would attempt.
func TestManyFilters(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		const count = 1000
		s := storetest.New(t, db, store.Config{MostDeliveries: 100})
		for i := range count {
			filtered(t, s, fmt.Sprintf("data.n < %d", i))
		}
		published := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{"n":499}`)})
		require.Equal(t, 500, published.Event.DeliveryCount)
		require.Empty(t, published.Deliveries, "FanOut starts them")
		require.Len(t, got(t, db, published.Event.ID), 500)
		published = storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{"n":989}`)})
		require.Len(t, published.Deliveries, 10)
	})
}

// Filters see what sources receive and what Postrider itself publishes.
func TestFiltersOfInboundAndOperationalEvents(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		p := &patient{t: t, store: s, clock: clock, webhook: makeWebhook(t, s, models.DefaultOwnerID, "order.*")}
		about := filtered(t, s, `data.webhook_id == "`+p.webhook.ID+`"`, func(w *models.Webhook) { w.Events = []string{"postrider.*"} })
		filtered(t, s, `data.attempts > 99`, func(w *models.Webhook) { w.Events = []string{"postrider.*"} })
		news := p.attempt(models.StatusPermanentlyFailed).News
		require.Len(t, news, 1)
		require.Equal(t, about.ID, news[0].WebhookID)

		_, err := s.UpdateWebhook(t.Context(), everything, about.ID, func(w *models.Webhook) error {
			w.Filter = "false"
			return nil
		})
		require.NoError(t, err)
		events := p.count(db, "events")
		require.Empty(t, p.attempt(models.StatusPermanentlyFailed).News)
		require.EqualValues(t, events+1, p.count(db, "events"), "an operational event that nobody gets is none")
	})
}

// A recovery brings the missed events that the filter lets pass.
func TestMissedEventsPassTheFilter(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		r.activate(false)
		for i := range 5 {
			published := storetest.Publish(t, r.store, models.Event{
				Type: "order.created", Data: fmt.Appendf(nil, `{"n":%d}`, i), OwnerID: r.webhook.OwnerID,
			})
			require.Zero(t, published.Event.DeliveryCount)
		}
		broken := storetest.Publish(t, r.store, models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: r.webhook.OwnerID})
		_, err := r.store.UpdateWebhook(t.Context(), everything, r.webhook.ID, func(w *models.Webhook) error {
			w.Active, w.Metadata, w.Filter = true, models.Metadata{"from": "3"}, "data.n >= int(webhook.metadata.from)"
			return nil
		})
		require.NoError(t, err)
		recovery := r.start(models.IncludeMissed, since, r.store.Now().Add(time.Millisecond))
		require.EqualValues(t, 3, collect(t, r.store, recovery.ID).Total)
		page, _, err := r.store.ClaimRecovery(t.Context(), recovery.ID, 10)
		require.NoError(t, err)
		require.Len(t, page, 3)
		for _, delivery := range page {
			require.Equal(t, delivery.EventID == broken.Event.ID, delivery.FilterError != "")
		}
	})
}
