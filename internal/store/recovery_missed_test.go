package store_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// miss has so many events published while the webhook is paused, and starts a recovery of them.
func (r *recoveryRig) miss(n int) models.Recovery {
	r.t.Helper()
	since := r.store.Now()
	r.activate(false)
	for i := range n {
		r.missed(string(rune('a'+i)), "order.created", r.webhook.OwnerID)
	}
	r.activate(true)
	recovery := r.start(models.IncludeMissed, since, r.store.Now())
	require.EqualValues(r.t, n, collect(r.t, r.store, recovery.ID).Total)
	return recovery
}

// deliveries counts the webhook's deliveries of each event.
func (r *recoveryRig) deliveries() map[string]int {
	r.t.Helper()
	var made []models.Delivery
	require.NoError(r.t, r.db.Where("webhook_id = ?", r.webhook.ID).Find(&made).Error)
	counts := map[string]int{}
	for _, delivery := range made {
		counts[r.names[delivery.EventID]]++
	}
	return counts
}

func TestMissedEventsBecomeDeliveriesInTheirTurn(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		recovery := r.miss(5)
		require.Empty(t, r.deliveries(), "before it is collected there is nothing that a sweep could start")
		page, names := r.next(recovery.ID, 2)
		require.Equal(t, []string{"a", "b"}, names)
		require.Equal(t, map[string]int{"a": 1, "b": 1}, r.deliveries())
		stored := r.row(page[0].ID)
		require.Equal(t, models.StatusPending, stored.Status)
		require.Equal(t, r.webhook.OwnerID, stored.OwnerID)
		require.Equal(t, r.webhook.Host, stored.Host)
		require.Equal(t, "order.created", stored.Event)
		require.Equal(t, r.store.Now(), stored.CreatedAt.UTC())
		require.False(t, stored.Test)
		event, err := r.store.Event(t.Context(), everything, stored.EventID)
		require.NoError(t, err)
		require.Equal(t, 1, event.DeliveryCount)
		job, err := r.store.Job(t.Context(), stored.ID, "")
		require.NoError(t, err)
		require.Equal(t, event.ID, job.Event.ID)
		require.EqualValues(t, 2, finish(t, r.store, recovery.ID, page).Resent)

		for page, names = r.next(recovery.ID, 2); len(page) > 0; page, names = r.next(recovery.ID, 2) {
			require.NotContains(t, names, "a")
			finish(t, r.store, recovery.ID, page)
		}
		done, err := r.store.Recovery(t.Context(), everything, recovery.ID)
		require.NoError(t, err)
		require.Equal(t, models.RecoveryCompleted, done.Status)
		require.EqualValues(t, 5, done.Resent)
		require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, r.deliveries())
		require.Zero(t, left(t, r.db))
		require.Empty(t, r.brings(models.IncludeMissed, recovery.Since, r.store.Now()), "nothing is missed any more")
	})
}

// A process that dies in the middle of a page leaves its deliveries behind: the next one starts those that have not
// been tried, and makes none anew.
func TestMissedEventsOfAnInterruptedPage(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		recovery := r.miss(4)
		page, _ := r.next(recovery.ID, 3)
		attempted(t, r.store, page[0], 1, models.StatusDelivered)
		attempted(t, r.store, page[1], 1, models.StatusFailed)
		again, names := r.next(recovery.ID, 3)
		require.Equal(t, []string{"c"}, names)
		require.Equal(t, page[2].ID, again[0].ID)
		require.Equal(t, models.StatusPending, again[0].Status)
		require.EqualValues(t, 3, finish(t, r.store, recovery.ID, again).Resent)
		_, names = r.next(recovery.ID, 3)
		require.Equal(t, []string{"d"}, names)
		require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, r.deliveries())
	})
}

func TestMissedEventsThatNeedNoDeliveryAnyMore(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		recovery := r.miss(3)
		_, err := r.store.SetRecoveryStatus(t.Context(), recovery.ID, models.RecoveryCancelled, "")
		require.NoError(t, err)
		first := r.start(models.IncludeMissed, since, r.store.Now())
		collect(t, r.store, first.ID)
		require.NoError(t, r.db.Exec("DELETE FROM events WHERE id = ?", r.event("a")).Error)
		require.NoError(t, r.db.Create(&models.Delivery{
			ID: typeid.New(typeid.KindDelivery, r.store.Now()), EventID: r.event("b"), WebhookID: r.webhook.ID, OwnerID: r.webhook.OwnerID,
			Event: "order.created", Status: models.StatusDelivered, CreatedAt: r.store.Now(),
		}).Error)
		_, names := r.next(first.ID, 2) // of which nothing is left
		require.Equal(t, []string{"c"}, names)
		stored, err := r.store.Recovery(t.Context(), everything, first.ID)
		require.NoError(t, err)
		require.EqualValues(t, 2, stored.Skipped)
		require.Equal(t, map[string]int{"b": 1, "c": 1}, r.deliveries())
	})
}

func (r *recoveryRig) event(name string) string {
	for id, called := range r.names {
		if called == name {
			return id
		}
	}
	return ""
}

// However many processes claim at once, and whoever cancels and recovers again meanwhile, no event gets two.
func TestMissedEventsAreMadeDeliveriesOnce(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		recovery := r.miss(8)
		ctx := context.WithoutCancel(t.Context())
		for round := range 4 {
			var claims sync.WaitGroup
			for range 4 {
				claims.Go(func() { _, _, _ = r.store.ClaimRecovery(ctx, recovery.ID, 2) })
			}
			claims.Go(func() { _, _ = r.store.SetRecoveryStatus(ctx, recovery.ID, models.RecoveryCancelled, "") })
			claims.Wait()
			r.clock.Advance(time.Millisecond)
			recovery = r.start(models.IncludeMissed, since, r.store.Now())
			collect(t, r.store, recovery.ID)
			require.NotContains(t, slices.Collect(maps.Values(r.deliveries())), 2, "round %d", round)
		}
		for page, _ := r.next(recovery.ID, 3); len(page) > 0; page, _ = r.next(recovery.ID, 3) {
			finish(t, r.store, recovery.ID, page)
		}
		require.Len(t, r.deliveries(), 8)
		require.NotContains(t, slices.Collect(maps.Values(r.deliveries())), 2)
	})
}

// An event that names webhooks was missed by those, whatever their event types, and by no other.
func TestMissedEventsThatNameTheirWebhooks(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		r.activate(false)
		other := makeWebhook(t, r.store, r.webhook.OwnerID, "invoice.paid")
		publish := func(name, eventType, webhookID string) {
			published, err := r.store.Publish(t.Context(), models.Event{
				Type: eventType, Data: []byte(`{}`), OwnerID: r.webhook.OwnerID, WebhookIDs: models.WebhookIDs{webhookID},
			})
			require.NoError(t, err)
			r.names[published.Event.ID] = name
		}
		publish("for another", "order.created", other.ID)
		publish("for it", "nothing.it.subscribes", r.webhook.ID)
		r.missed("for all", "order.created", r.webhook.OwnerID)
		r.activate(true)
		recovery := r.start(models.IncludeMissed, since, r.store.Now())
		require.EqualValues(t, 2, collect(t, r.store, recovery.ID).Total)
		_, names := r.next(recovery.ID, 5)
		require.ElementsMatch(t, []string{"for it", "for all"}, names)
	})
}
