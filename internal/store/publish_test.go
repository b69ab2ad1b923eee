package store_test

import (
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestPublishMakesOneDeliveryForEachMatchingWebhook(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		other := storetest.Owner(t, store, "other")
		exact := makeWebhook(t, store, owner.ID, "order.created", "order.paid")
		prefix := makeWebhook(t, store, owner.ID, "order.*", "order.created")
		all := makeWebhook(t, store, other.ID, "*")
		makeWebhook(t, store, owner.ID, "order")
		makeWebhook(t, store, owner.ID, "order.created.eu", "orders.*")
		paused := makeWebhook(t, store, owner.ID, "*")
		_, err := store.UpdateWebhook(t.Context(), models.Scope{}, paused.ID, func(w *models.Webhook) error {
			w.Active = false
			return nil
		})
		require.NoError(t, err)
		deleted := makeWebhook(t, store, owner.ID, "*")
		require.NoError(t, store.DeleteWebhook(t.Context(), models.Scope{}, deleted.ID))

		for _, test := range []struct {
			event models.Event
			want  []string
		}{
			{models.Event{Type: "order.created", Data: []byte(`{}`), Broadcast: true}, []string{exact.ID, prefix.ID, all.ID}},
			{models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: owner.ID}, []string{exact.ID, prefix.ID}},
			{models.Event{Type: "order.eu.created", Data: []byte(`{}`), OwnerID: owner.ID}, []string{prefix.ID}},
			{models.Event{Type: "user.created", Data: []byte(`{}`), Broadcast: true}, []string{all.ID}},
			{models.Event{Type: "user.created", Data: []byte(`{}`), OwnerID: owner.ID}, nil},
		} {
			published := storetest.Publish(t, store, test.event)
			var got []string
			for _, delivery := range published.Deliveries {
				got = append(got, delivery.WebhookID)
				require.NoError(t, typeid.Check(typeid.KindDelivery, delivery.ID))
				stored, err := store.Delivery(t.Context(), models.Scope{}, delivery.ID)
				require.NoError(t, err)
				require.Equal(t, models.StatusPending, stored.Status)
				require.Equal(t, published.Event.ID, stored.EventID)
				require.Equal(t, "example.com", stored.Host)
				require.Equal(t, test.event.Type, stored.Event)
			}
			sort.Strings(got)
			sort.Strings(test.want)
			require.Equal(t, test.want, got, test.event.Type)
			stored, err := store.Event(t.Context(), models.Scope{}, published.Event.ID)
			require.NoError(t, err)
			require.Equal(t, len(test.want), stored.DeliveryCount)
		}
	})
}

func TestPublishKeepsTheDataByteForByte(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		data := `{"b":1.0,  "a":1e3,"ü":"\u0000"}`
		published := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(data)})
		event, err := store.Event(t.Context(), models.Scope{}, published.Event.ID)
		require.NoError(t, err)
		require.Equal(t, data, string(event.Data))
	})
}

func TestPublishToManyWebhooks(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		const webhooks = 300
		for range webhooks {
			makeWebhook(t, store, owner.ID, "order.*")
		}
		published := storetest.Publish(t, store, models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: owner.ID})
		ids := map[string]bool{}
		prefixes := map[string]bool{}
		for _, delivery := range published.Deliveries {
			ids[delivery.ID] = true
			prefixes[delivery.ID[:len(delivery.ID)-5]] = true
			require.NoError(t, typeid.Check(typeid.KindDelivery, delivery.ID))
		}
		require.Len(t, ids, webhooks)
		require.Len(t, prefixes, 1)

		var paged []string
		after := ""
		for {
			page, err := store.PendingDeliveriesOf(t.Context(), published.Event.ID, after, 64)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, delivery := range page {
				paged = append(paged, delivery.ID)
			}
			after = page[len(page)-1].ID
		}
		require.Len(t, paged, webhooks)
		require.True(t, sort.StringsAreSorted(paged))
	})
}

func TestIdempotencyKey(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		makeWebhook(t, store, owner.ID, "*")
		event := models.Event{Type: "a", Data: []byte(`{"n":1}`), OwnerID: owner.ID, IdempotencyKey: key(1)}
		first := storetest.Publish(t, store, event)
		require.False(t, first.Duplicate)

		again := storetest.Publish(t, store, event)
		require.True(t, again.Duplicate)
		require.Equal(t, first.Event.ID, again.Event.ID)
		require.Equal(t, 1, again.Event.DeliveryCount)
		require.Empty(t, again.Deliveries)

		changed := event
		changed.Data = []byte(`{"n":2}`)
		_, err := store.Publish(t.Context(), changed)
		require.ErrorIs(t, err, models.ErrIdempotencyConflict)

		elsewhere := changed
		elsewhere.OwnerID = storetest.Owner(t, store, "other").ID
		require.False(t, storetest.Publish(t, store, elsewhere).Duplicate)
	})
}

func TestIdempotencyKeyUsedAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		event := models.Event{Type: "a", Data: []byte(`{}`), IdempotencyKey: key(1)}
		var mu sync.Mutex
		ids := map[string]int{}
		fresh := 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				published, err := store.Publish(t.Context(), event)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				ids[published.Event.ID]++
				if !published.Duplicate {
					fresh++
				}
			})
		}
		wg.Wait()
		require.Len(t, ids, 1)
		require.Equal(t, 1, fresh)
		deliveries, _, err := store.Deliveries(t.Context(), models.Scope{}, models.DeliveryFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, deliveries, 1)
	})
}

func TestPublishTestIsMarked(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "order.*")
		delivery, err := store.PublishTest(t.Context(), webhook, []byte(`{"message":"x"}`))
		require.NoError(t, err)
		job, err := store.Job(t.Context(), delivery.ID, "att_x")
		require.NoError(t, err)
		require.True(t, job.Delivery.Test)
		require.Equal(t, models.EventTest, job.Event.Type)
		require.True(t, strings.HasPrefix(string(job.Event.Data), `{"message"`))
		require.Empty(t, job.Recorded.ID)
	})
}
