package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// order changes the order of a webhook.
func order(t testing.TB, s *store.Store, id string, queueing models.Queueing) {
	t.Helper()
	_, err := s.UpdateWebhook(t.Context(), everything, id, func(w *models.Webhook) error { w.Queueing = queueing; return nil })
	require.NoError(t, err)
}

// queueRig is an ordered webhook.
type queueRig struct {
	*store.Store
	t       *testing.T
	webhook models.Webhook
}

func newQueueRig(t *testing.T, s *store.Store, onFailure models.OnFailure) *queueRig {
	t.Helper()
	return &queueRig{s, t, storetest.Webhook(t, s, func(w *models.Webhook) {
		w.Queueing = models.Queueing{Ordered: true, OnFailure: onFailure}
	})}
}

// publish publishes n events, one after the other, and returns their deliveries.
func (r *queueRig) publish(n int) []models.Delivery {
	r.t.Helper()
	deliveries := make([]models.Delivery, n)
	for i := range deliveries {
		deliveries[i] = storetest.Publish(r.t, r.Store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
	}
	return deliveries
}

// place is where a delivery stands; 0 when it does not stand in the queue.
func (r *queueRig) place(delivery models.Delivery) int64 {
	r.t.Helper()
	found, err := r.Delivery(r.t.Context(), everything, delivery.ID)
	require.NoError(r.t, err)
	if found.Place == nil {
		return 0
	}
	return *found.Place
}

func (r *queueRig) places(deliveries []models.Delivery) []int64 {
	r.t.Helper()
	places := make([]int64, len(deliveries))
	for i, delivery := range deliveries {
		places[i] = r.place(delivery)
	}
	return places
}

// requireFirst says which delivery may go, by every call that tells; none when it is the zero value.
func (r *queueRig) requireFirst(want models.Delivery, all []models.Delivery) {
	r.t.Helper()
	first, err := r.FirstInQueue(r.t.Context(), r.webhook.ID)
	if want.ID == "" {
		require.ErrorIs(r.t, err, models.ErrNotFound)
	} else {
		require.NoError(r.t, err)
	}
	require.Equal(r.t, want.ID, first.ID)
	of, _ := r.FirstInQueueOf(r.t.Context(), all[0].ID)
	require.Equal(r.t, want.ID, of.ID)
	heads, err := r.QueueHeads(r.t.Context(), r.Now(), "", 10)
	require.NoError(r.t, err)
	if want.ID == "" || first.Status != models.StatusPending {
		require.Empty(r.t, heads)
		return
	}
	require.Equal(r.t, []string{want.ID}, idsOf(heads))
	for _, delivery := range all {
		job, err := r.Job(r.t.Context(), delivery.ID, "")
		require.NoError(r.t, err)
		if waits := job.Delivery.Queued() && delivery.ID != want.ID; waits {
			require.Equal(r.t, want.ID, job.Behind)
		} else {
			require.Empty(r.t, job.Behind)
		}
	}
}

// Each process gives places in the order in which it commits, without a gap: what a publisher publishes behind an answer
// stands behind what was answered.
func TestQueueIsInTheOrderOfPublishing(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		processes := []*store.Store{
			storetest.New(t, storetest.Open(t, url), store.Config{}), storetest.New(t, storetest.Open(t, url), store.Config{}),
		}
		r := newQueueRig(t, processes[0], models.OnFailureWait)
		storetest.Webhook(t, r.Store) // gets the same events in any order
		const publishers, each = 8, 20
		places := make([][]int64, publishers)
		var all sync.WaitGroup
		for p := range publishers {
			all.Go(func() {
				for range each {
					published, err := processes[p%2].Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
					if err != nil {
						t.Errorf("publish: %s", err)
						return
					}
					for _, delivery := range published.Deliveries {
						if delivery.WebhookID == r.webhook.ID {
							places[p] = append(places[p], *delivery.Place)
						} else if delivery.Queued() {
							t.Error("a webhook without an order has a queue")
						}
					}
				}
			})
		}
		all.Wait()
		taken := map[int64]bool{}
		for _, of := range places {
			require.IsIncreasing(t, of)
			for _, place := range of {
				taken[place] = true
			}
		}
		require.Len(t, taken, publishers*each)
		require.True(t, taken[1])
		require.True(t, taken[publishers*each])
	})
}

// Events of one batch stand in the order in which they came, whatever their idempotency keys.
func TestQueueOfABatch(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Postgres(t), store.Config{})
	first, second := newQueueRig(t, s, models.OnFailureWait), newQueueRig(t, s, models.OnFailureWait)
	events := make([]models.Event, 9)
	for i := range events {
		at := s.Now().Add(time.Duration(i) * time.Microsecond)
		events[i] = models.Event{ID: typeid.New(typeid.KindEvent, at), Type: "a", Data: []byte(`{}`), IdempotencyKey: key(len(events) - i), CreatedAt: at}
	}
	require.NoError(t, store.PublishTogether(t.Context(), s, events))
	for _, r := range []*queueRig{first, second} {
		for i, event := range events {
			deliveries, _, err := s.Deliveries(t.Context(), everything, models.DeliveryFilter{WebhookIDs: []string{r.webhook.ID}, EventIDs: []string{event.ID}}, models.Page{})
			require.NoError(t, err)
			require.EqualValues(t, i+1, *deliveries[0].Place)
		}
	}
}

// A batch that takes several statements, in another order, has its events queue up in its own.
func TestQueueOfALargeBatch(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		for range store.SharedDeliveries + 1 {
			storetest.Webhook(t, s, func(w *models.Webhook) { w.Events = []string{"wide"} })
		}
		events := make([]models.Event, 250)
		for i := range events {
			events[i] = models.Event{Type: "a", Data: []byte(`{}`), IdempotencyKey: key(len(events) - i)}
			if i%7 == 0 {
				events[i].Type = "wide"
			}
		}
		for i, outcome := range publishAll(t, s, events) {
			deliveries, _, err := s.Deliveries(t.Context(), everything, models.DeliveryFilter{
				WebhookIDs: []string{r.webhook.ID}, EventIDs: []string{outcome.Published.Event.ID},
			}, models.Page{})
			require.NoError(t, err)
			require.EqualValues(t, i+1, *deliveries[0].Place)
		}
	})
}

// Large batches that come to the same queues and keys in other orders are all stored.
func TestLargeBatchesShareQueues(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Postgres(t), store.Config{})
	for _, pattern := range []string{"a", "b"} {
		storetest.Webhook(t, s, func(w *models.Webhook) { w.Events, w.Ordered = []string{pattern}, true })
	}
	var all sync.WaitGroup
	for batch := range 4 {
		all.Go(func() {
			events := make([]models.Event, 210)
			for i := range events {
				name := fmt.Sprintf("%03d-%d", i, batch)
				eventType := "a"
				if (i < 100) == (batch%2 == 0) {
					eventType = "b"
				}
				events[i] = models.Event{Type: eventType, Data: []byte(`{}`), IdempotencyKey: &name}
			}
			outcomes, err := s.PublishAll(t.Context(), events)
			if err != nil || len(outcomes) != len(events) {
				t.Errorf("publish: %v", err)
			}
		})
	}
	all.Wait()
}

// Batches that come to the same queues and the same keys in other orders do not wait for each other in a circle.
func TestQueuesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Postgres(t), store.Config{})
	for _, pattern := range []string{"a", "b", "a", "b"} {
		storetest.Webhook(t, s, func(w *models.Webhook) { w.Events, w.Ordered = []string{pattern}, true })
	}
	const rounds = 40
	var all sync.WaitGroup
	for _, types := range [][]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			for round := range rounds {
				var events []models.Event
				for i, eventType := range types {
					at := s.Now()
					name := fmt.Sprintf("%s-%d", eventType, round)
					events = append(events, models.Event{
						ID: typeid.New(typeid.KindEvent, at), Type: types[(i+round)%2], Data: []byte(`{}`), IdempotencyKey: &name, CreatedAt: at,
					})
				}
				if err := store.PublishTogether(context.Background(), s, events); err != nil {
					t.Errorf("publish: %s", err)
				}
			}
		})
	}
	all.Wait()
}
