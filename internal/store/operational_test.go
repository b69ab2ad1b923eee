package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func (p *patient) count(db *gorm.DB, table string) (rows int64) {
	p.t.Helper()
	require.NoError(p.t, db.Table(table).Count(&rows).Error)
	return rows
}

// News of a webhook go to the other webhooks of its owner that ask for them: by name or by prefix, not by *.
func TestOperationalEvents(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner, stranger := storetest.Owner(t, store, "acme"), storetest.Owner(t, store, "other")
		p := &patient{t: t, store: store, clock: clock, webhook: makeWebhook(t, store, owner.ID, "order.*", "postrider.*")}
		byName := makeWebhook(t, store, owner.ID, models.EventDeliveryPermanentlyFailed)
		byPrefix := makeWebhook(t, store, owner.ID, "postrider.*")
		makeWebhook(t, store, owner.ID, "postrider.delivery.other")
		makeWebhook(t, store, stranger.ID, "postrider.*")
		everyEvent := makeWebhook(t, store, owner.ID, "*")
		_, err := store.UpdateWebhook(t.Context(), everything, everyEvent.ID, func(webhook *models.Webhook) error {
			webhook.Active = false
			return nil
		})
		require.NoError(t, err)

		told := func(recorded models.Recorded) map[string]string {
			news := map[string]string{}
			for _, delivery := range recorded.News {
				require.Equal(t, owner.ID, delivery.OwnerID)
				require.NotContains(t, news, delivery.WebhookID+delivery.Event)
				news[delivery.WebhookID+" "+delivery.Event] = delivery.EventID
			}
			return news
		}
		require.Empty(t, told(p.attempt(models.StatusFailed)), "an attempt is no news")
		failed := p.attempt(models.StatusPermanentlyFailed)
		news := told(failed)
		require.Len(t, news, 2)
		require.Contains(t, news, byName.ID+" "+models.EventDeliveryPermanentlyFailed)
		id := news[byPrefix.ID+" "+models.EventDeliveryPermanentlyFailed]
		event, err := store.Event(t.Context(), everything, id)
		require.NoError(t, err)
		require.Equal(t, 2, event.DeliveryCount)
		require.Contains(t, string(event.Data), `"webhook_id":"`+p.webhook.ID+`"`)
		require.Contains(t, string(event.Data), `"event":"order.paid"`)
		require.Contains(t, string(event.Data), `"error":"the receiver answered 500"`)

		for range 8 {
			p.attempt(models.StatusPermanentlyFailed)
		}
		news = told(p.attempt(models.StatusPermanentlyFailed))
		require.Len(t, news, 3)
		require.Contains(t, news, byPrefix.ID+" "+models.EventWebhookFailing)
		news = told(p.attempt(models.StatusDelivered))
		require.Len(t, news, 1)
		require.Contains(t, news, byPrefix.ID+" "+models.EventWebhookRecovered)
		news = told(p.attempt(models.StatusPermanentlyFailed, func(outcome *models.Outcome) { outcome.DisableWebhook = "410" }))
		require.Len(t, news, 3)
		require.Contains(t, news, byPrefix.ID+" "+models.EventWebhookDisabled)
	})
}

// Two webhooks get the news of each other, and both fail for ever. No failure of news is news, and each
// webhook's own health is told once an hour at most.
func TestOperationalEventsDoNotLoop(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		p := &patient{t: t, store: store, clock: clock, webhook: makeWebhook(t, store, models.DefaultOwnerID, "order.*", "postrider.*")}
		makeWebhook(t, store, models.DefaultOwnerID, "postrider.*")
		const orders = 100
		for range orders {
			waiting := p.attempt(models.StatusPermanentlyFailed).News
			for len(waiting) > 0 {
				clock.Advance(time.Second)
				recorded := p.record(waiting[0], models.StatusPermanentlyFailed)
				waiting = append(waiting[1:], recorded.News...)
			}
		}
		// For each order the news of its failure, and of each webhook that it is failing, once.
		require.EqualValues(t, orders+orders+2, p.count(db, "deliveries"))
		require.EqualValues(t, orders+orders+2, p.count(db, "events"))
	})
}

// Where nobody asks for news there are none: no row is written for them.
func TestOperationalEventsThatNobodyWants(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		p := &patient{t: t, store: store, clock: clock, webhook: makeWebhook(t, store, models.DefaultOwnerID, "*")}
		for range 12 {
			require.Empty(t, p.attempt(models.StatusPermanentlyFailed).News)
		}
		require.EqualValues(t, 12, p.count(db, "events"))
		require.EqualValues(t, 12, p.count(db, "deliveries"))
	})
}

func TestOperationalEventTypes(t *testing.T) {
	t.Parallel()
	for _, eventType := range models.OperationalEvents() {
		require.NoError(t, models.CheckEventType(eventType))
		require.True(t, models.Operational(eventType))
		require.NotContains(t, models.PatternsMatching(eventType), "*")
	}
	for _, eventType := range []string{"order.created", "postrider", "postrider.order", "my.postrider.webhook.failing", models.EventTest} {
		require.False(t, models.Operational(eventType), eventType)
	}
}
