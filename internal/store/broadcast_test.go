package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// A forgotten owner does not send one customer's data to all: the event is the default owner's, whoever makes it.
func TestEventWithoutAnOwner(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		other := storetest.Owner(t, store, "other")
		own := makeWebhook(t, store, models.DefaultOwnerID, "*")
		theirs := makeWebhook(t, store, other.ID, "*")
		source := models.Source{OwnerID: other.ID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
		require.NoError(t, store.CreateSource(t.Context(), &source, []string{"a-secret-of-a-provider"}))
		inbound := func(event models.Event) func() models.Published {
			return func() models.Published {
				stored := models.InboundEvent{SourceID: source.ID, OwnerID: other.ID, ProviderID: typeid.New(typeid.KindInbound, store.Now()), Body: []byte(`{}`)}
				_, err := store.StoreInbound(t.Context(), &stored)
				require.NoError(t, err)
				published, err := store.ProcessInbound(t.Context(), stored.ID, func(models.InboundEvent, models.Source) (models.Event, error) {
					return event, nil
				})
				require.NoError(t, err)
				return published
			}
		}
		outbound := func(event models.Event) func() models.Published {
			return func() models.Published { return storetest.Publish(t, store, event) }
		}
		event := models.Event{Type: "a", Data: []byte(`{}`)}
		named, all, both := event, event, event
		named.OwnerID, all.Broadcast, both.OwnerID, both.Broadcast = other.ID, true, other.ID, true
		for name, test := range map[string]struct {
			publish func() models.Published
			owner   string
			want    []string
		}{
			"none":               {outbound(event), models.DefaultOwnerID, []string{own.ID}},
			"named":              {outbound(named), other.ID, []string{theirs.ID}},
			"broadcast":          {outbound(all), "", []string{own.ID, theirs.ID}},
			"broadcast, by one":  {outbound(both), "", []string{own.ID, theirs.ID}},
			"inbound":            {inbound(event), models.DefaultOwnerID, []string{own.ID}},
			"inbound, named":     {inbound(named), other.ID, []string{theirs.ID}},
			"inbound, broadcast": {inbound(both), "", []string{own.ID, theirs.ID}},
		} {
			published := test.publish()
			var got []string
			for _, delivery := range published.Deliveries {
				got = append(got, delivery.WebhookID)
			}
			require.ElementsMatch(t, test.want, got, name)
			stored, err := store.Event(t.Context(), everything, published.Event.ID)
			require.NoError(t, err)
			require.Equal(t, test.owner, stored.OwnerID, name)
			require.Equal(t, len(test.want), stored.DeliveryCount, name)
		}
	})
}

// Of an event to all, an owner sees what concerns the owner.
func TestBroadcastAsAnOwnerSeesIt(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		mine, theirs, none := storetest.Owner(t, store, "mine"), storetest.Owner(t, store, "theirs"), storetest.Owner(t, store, "none")
		makeWebhook(t, store, mine.ID, "*")
		for range 2 {
			makeWebhook(t, store, theirs.ID, "*")
		}
		makeWebhook(t, store, none.ID, "other.*")
		id := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), Broadcast: true}).Event.ID
		for owner, want := range map[string]int{"": 3, mine.ID: 1, theirs.ID: 2} {
			event, err := store.Event(t.Context(), models.Scope{OwnerID: owner}, id)
			require.NoError(t, err)
			require.Equal(t, want, event.DeliveryCount)
		}
		_, err := store.Event(t.Context(), models.Scope{OwnerID: none.ID}, id)
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

// A process of an older version writes patterns without their owner.
func TestPatternsWithoutAnOwner(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		makeWebhook(t, store, storetest.Owner(t, store, "other").ID, "*")
		require.NoError(t, db.Exec("UPDATE webhook_patterns SET owner_id = ''").Error)
		deliveries := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries
		require.Len(t, deliveries, 1)
		require.Equal(t, webhook.ID, deliveries[0].WebhookID)
	})
}

// The settings of webhooks that others will attempt are not carried here.
func TestPublishReturnsWhatIsAttemptedHere(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		const most = 30 // more than may share a batch
		store := storetest.New(t, db, store.Config{MostDeliveries: most})
		for i := range most + 1 {
			makeWebhook(t, store, models.DefaultOwnerID, "few", fmt.Sprint("number.", i))
			published := storetest.Publish(t, store, models.Event{Type: "few", Data: []byte(`{}`)})
			require.Equal(t, i+1, published.Event.DeliveryCount)
			stored, err := store.PendingDeliveriesOf(t.Context(), published.Event.ID, "", 100)
			require.NoError(t, err)
			require.Len(t, stored, i+1)
			if i < most {
				require.Len(t, published.Deliveries, i+1)
			} else {
				require.Nil(t, published.Deliveries)
				require.Nil(t, published.Jobs)
			}
		}
	})
}

// Nobody waits for the many deliveries of somebody else's event: it is stored in a transaction of its own.
func TestEventsWithManyDeliveriesShareNoBatch(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	s, _ := clockedStore(t, db)
	wide, narrow := storetest.Owner(t, s, "wide"), storetest.Owner(t, s, "narrow")
	for range store.SharedDeliveries + 1 {
		makeWebhook(t, s, wide.ID, "*")
	}
	makeWebhook(t, s, narrow.ID, "*")
	const times = 60
	atOnce(times, func(i int) {
		event := models.Event{Type: "a", Data: []byte(`{}`), OwnerID: narrow.ID}
		switch i % 6 {
		case 0:
			event.OwnerID = wide.ID
		case 1:
			event.Broadcast = true
		}
		if _, err := s.Publish(t.Context(), event); err != nil {
			t.Error(err)
		}
	})
	var transactions []struct{ Events, Most int }
	require.NoError(t, db.Raw("SELECT count(*) AS events, max(deliveries) AS most FROM events GROUP BY xmin::text").Scan(&transactions).Error)
	total, shared := 0, false
	for _, transaction := range transactions {
		total += transaction.Events
		shared = shared || transaction.Events > 1
		if transaction.Events > 1 {
			require.Equal(t, 1, transaction.Most)
		}
	}
	require.Equal(t, times, total)
	require.True(t, shared, "others do share")
}
