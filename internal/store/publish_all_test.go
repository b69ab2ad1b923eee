package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func publishAll(t testing.TB, s *store.Store, events []models.Event) []models.BatchOutcome {
	t.Helper()
	outcomes, err := s.PublishAll(t.Context(), events)
	require.NoError(t, err)
	require.Len(t, outcomes, len(events))
	return outcomes
}

// A full batch has its events in their order, each with its deliveries, whoever they belong to and however many there are.
func TestPublishAll(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		mine, other := storetest.Owner(t, s, "mine"), storetest.Owner(t, s, "other")
		one, two := makeWebhook(t, s, mine.ID, "order.*"), makeWebhook(t, s, mine.ID, "order.paid")
		theirs := makeWebhook(t, s, other.ID, "*")
		for range store.SharedDeliveries + 1 {
			makeWebhook(t, s, mine.ID, "wide")
		}
		kinds := []struct {
			event models.Event
			want  []string
		}{
			{models.Event{Type: "order.paid", OwnerID: mine.ID}, []string{one.ID, two.ID}},
			{models.Event{Type: "order.paid", Broadcast: true}, []string{one.ID, two.ID, theirs.ID}},
			{models.Event{Type: "order.paid", OwnerID: mine.ID, WebhookIDs: models.WebhookIDs{two.ID}}, []string{two.ID}},
			{models.Event{Type: "order.paid", OwnerID: other.ID}, []string{theirs.ID}},
			{models.Event{Type: "nobody", OwnerID: mine.ID}, []string{}},
			{models.Event{Type: "wide", OwnerID: mine.ID}, nil},
		}
		events := make([]models.Event, models.MaxBatch)
		for i := range events {
			events[i] = kinds[i%len(kinds)].event
			events[i].Data = fmt.Appendf(nil, "%d", i)
			events[i].IdempotencyKey = key(models.MaxBatch - i) // another order than that of the batch
		}
		outcomes := publishAll(t, s, events)
		last := ""
		for i, outcome := range outcomes {
			kind, published := kinds[i%len(kinds)], outcome.Published
			require.NoError(t, outcome.Err)
			require.False(t, published.Duplicate)
			require.Greater(t, published.Event.ID, last, "their IDs are in their order")
			last = published.Event.ID
			if kind.event.Type == "wide" {
				require.Empty(t, published.Deliveries, "a FanOut starts them")
				require.Equal(t, store.SharedDeliveries+1, published.Event.DeliveryCount)
				continue
			}
			slices.Sort(kind.want)
			require.Equal(t, kind.want, webhooksOf(published.Deliveries), i)
			require.Equal(t, len(kind.want), published.Event.DeliveryCount)
		}
		stored, err := s.Event(t.Context(), everything, outcomes[500].Published.Event.ID)
		require.NoError(t, err)
		require.Equal(t, "500", string(stored.Data))

		for i, again := range publishAll(t, s, events) {
			require.NoError(t, again.Err)
			require.True(t, again.Published.Duplicate)
			require.Equal(t, outcomes[i].Published.Event.ID, again.Published.Event.ID)
			require.Equal(t, outcomes[i].Published.Event.DeliveryCount, again.Published.Event.DeliveryCount)
			require.Empty(t, again.Published.Deliveries)
		}
	})
}

func TestIdempotencyKeysWithinABatch(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		first := models.Event{Type: "a", Data: []byte("1"), IdempotencyKey: key(1)}
		other, elsewhere, none := first, first, models.Event{Type: "a", Data: []byte("1")}
		other.Data = []byte("2")
		elsewhere.OwnerID = storetest.Owner(t, s, "other").ID
		outcomes := publishAll(t, s, []models.Event{first, other, first, elsewhere, none, none})
		require.False(t, outcomes[0].Published.Duplicate)
		require.ErrorIs(t, outcomes[1].Err, models.ErrIdempotencyConflict)
		require.True(t, outcomes[2].Published.Duplicate)
		require.Equal(t, outcomes[0].Published.Event.ID, outcomes[2].Published.Event.ID)
		for _, i := range []int{3, 4, 5} {
			require.False(t, outcomes[i].Published.Duplicate, i)
			require.NoError(t, outcomes[i].Err)
		}
	})
}

// Batches with the same keys in two orders, and single events with them, at once: each key makes one event.
func TestBatchesAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		makeWebhook(t, s, models.DefaultOwnerID, "*")
		const events = 150
		batch := make([]models.Event, events)
		for i := range batch {
			batch[i] = models.Event{Type: "a", Data: []byte("1"), IdempotencyKey: key(i)}
		}
		reversed := slices.Clone(batch)
		slices.Reverse(reversed)
		var fresh sync.Map
		note := func(published models.Published) {
			if published.Duplicate {
				return // this may be noted before the first
			}
			if _, twice := fresh.LoadOrStore(*published.Event.IdempotencyKey, published.Event.ID); twice {
				t.Errorf("%s made two events", *published.Event.IdempotencyKey)
			}
		}
		atOnce(6, func(i int) {
			if i > 3 {
				published, err := s.Publish(t.Context(), batch[i])
				if err != nil {
					t.Error(err)
				}
				note(published)
				return
			}
			outcomes, err := s.PublishAll(t.Context(), [][]models.Event{batch, reversed}[i%2])
			if err != nil {
				t.Error(err)
			}
			for _, outcome := range outcomes {
				note(outcome.Published)
			}
		})
		deliveries := 0
		for page := (models.Page{Limit: models.MaxLimit}); ; {
			some, cursors, err := s.Deliveries(t.Context(), everything, models.DeliveryFilter{}, page)
			require.NoError(t, err)
			deliveries += len(some)
			if page.Cursor = cursors.Next; page.Cursor == "" {
				break
			}
		}
		require.Equal(t, events, deliveries)
	})
}

// What the database refuses leaves nothing of its batch behind.
func TestABatchIsOneTransaction(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		makeWebhook(t, s, models.DefaultOwnerID, "*")
		events := make([]models.Event, 250)
		for i := range events {
			events[i] = models.Event{Type: "a", Data: []byte("1")}
		}
		events[249].Data = nil // which the column is not for
		_, err := s.PublishAll(t.Context(), events)
		require.Error(t, err)
		for _, table := range []string{"events", "deliveries"} {
			var rows int64
			require.NoError(t, db.Table(table).Count(&rows).Error)
			require.Zero(t, rows, table)
		}
	})
}

// Filters are asked about each event of a batch, in its transaction.
func TestFiltersOfABatch(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		all := makeWebhook(t, s, models.DefaultOwnerID, "*")
		some := storetest.Webhook(t, s, func(w *models.Webhook) { w.Filter = "data.n > 1" })
		events := []models.Event{
			{Type: "a", Data: []byte(`{"n":1}`), IdempotencyKey: key(1)}, {Type: "a", Data: []byte(`{"n":2}`), IdempotencyKey: key(2)},
			{Type: "a", Data: []byte(`{"n":2}`), IdempotencyKey: key(2)}, {Type: "a", Data: []byte(`{"n":3}`)},
		}
		storetest.Publish(t, s, events[0])
		outcomes := publishAll(t, s, events)
		both := []string{all.ID, some.ID}
		slices.Sort(both)
		for i, want := range [][]string{{}, both, {}, both} {
			require.NoError(t, outcomes[i].Err)
			require.Equal(t, len(want) == 0, outcomes[i].Published.Duplicate, i)
			require.Equal(t, want, webhooksOf(outcomes[i].Published.Deliveries), i)
		}
	})
}
