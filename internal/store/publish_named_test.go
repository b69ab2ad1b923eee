package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// webhooksOf returns which webhooks deliveries go to.
func webhooksOf(deliveries []models.Delivery) []string {
	ids := []string{}
	for _, delivery := range deliveries {
		ids = append(ids, delivery.WebhookID)
	}
	slices.Sort(ids)
	return ids
}

// An event that names webhooks goes to those, whatever their event types: to none that is paused, nor another owner's.
func TestPublishToNamedWebhooks(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		mine, other := storetest.Owner(t, store, "mine"), storetest.Owner(t, store, "other")
		all, unsubscribed := makeWebhook(t, store, mine.ID, "*"), makeWebhook(t, store, mine.ID, "invoice.paid")
		paused, deleted := makeWebhook(t, store, mine.ID, "*"), makeWebhook(t, store, mine.ID, "*")
		theirs := makeWebhook(t, store, other.ID, "*")
		_, err := store.UpdateWebhook(t.Context(), everything, paused.ID, func(w *models.Webhook) error {
			w.Active = false
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, store.DeleteWebhook(t.Context(), everything, deleted.ID))
		named := models.NewWebhookIDs([]string{unsubscribed.ID, paused.ID, deleted.ID, theirs.ID, unsubscribed.ID})

		published := storetest.Publish(t, store, models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: mine.ID, WebhookIDs: named})
		require.Equal(t, []string{unsubscribed.ID}, webhooksOf(published.Deliveries))
		stored, err := store.Event(t.Context(), everything, published.Event.ID)
		require.NoError(t, err)
		require.Equal(t, 1, stored.DeliveryCount)
		require.Equal(t, named, stored.WebhookIDs)

		// Beside others in one batch too.
		atOnce(40, func(i int) {
			event := models.Event{Type: "order.created", Data: fmt.Appendf(nil, "%d", i), OwnerID: mine.ID}
			want := []string{all.ID}
			if i%2 == 0 {
				event.WebhookIDs, want = named, []string{unsubscribed.ID}
			}
			published, err := store.Publish(t.Context(), event)
			if err != nil || !slices.Equal(want, webhooksOf(published.Deliveries)) {
				t.Errorf("event %d: %v, went to %v", i, err, webhooksOf(published.Deliveries))
			}
		})
		known, err := store.WebhooksOf(t.Context(), mine.ID, named)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{unsubscribed.ID, paused.ID}, known)
	})
}

func TestPublishKeepsWhatThePublisherSays(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		occurred := time.Date(2020, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600))
		event := models.Event{
			Type: "a", Data: []byte(`{}`), IdempotencyKey: key(1), OccurredAt: &occurred,
			Metadata: models.Metadata{"order_id": "42", "region": `"eu"`}, TraceParent: "00-x",
		}
		published := storetest.Publish(t, store, event)
		for _, event := range []func() models.Event{
			func() models.Event { return published.Event },
			func() models.Event {
				stored, err := store.Event(t.Context(), everything, published.Event.ID)
				require.NoError(t, err)
				return stored
			},
			func() models.Event {
				job, err := store.Job(t.Context(), published.Deliveries[0].ID, "")
				require.NoError(t, err)
				return job.Event
			},
		} {
			got := event()
			require.Equal(t, occurred.UTC().Truncate(time.Microsecond), got.Occurred().UTC())
			require.Equal(t, models.Metadata{"order_id": "42", "region": `"eu"`}, got.Metadata)
			require.Equal(t, "00-x", got.TraceParent)
			require.Empty(t, got.WebhookIDs)
		}
		plain := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Event
		require.Equal(t, plain.CreatedAt, plain.Occurred())
		require.Nil(t, plain.Metadata)

		// The same request again, within another part of its trace, and others.
		again := event
		again.TraceParent = "00-y"
		require.True(t, storetest.Publish(t, store, again).Duplicate)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "b")
		later := occurred.Add(time.Second)
		for name, change := range map[string]func(*models.Event){
			"occurred_at":            func(e *models.Event) { e.OccurredAt = &later },
			"without an occurred_at": func(e *models.Event) { e.OccurredAt = nil },
			"metadata":               func(e *models.Event) { e.Metadata = models.Metadata{"order_id": "43", "region": `"eu"`} },
			"without metadata":       func(e *models.Event) { e.Metadata = nil },
			"to one webhook instead": func(e *models.Event) { e.WebhookIDs = models.WebhookIDs{webhook.ID} },
		} {
			other := event
			change(&other)
			_, err := store.Publish(t.Context(), other)
			require.ErrorIs(t, err, models.ErrIdempotencyConflict, name)
		}
	})
}
