package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

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

func TestQueueThatWaits(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		all := r.publish(5)
		require.Equal(t, []int64{1, 2, 3, 4, 5}, r.places(all))
		r.requireFirst(all[0], all)
		pending, err := s.PendingDeliveries(t.Context(), s.Now(), "", 10)
		require.NoError(t, err)
		require.Empty(t, pending, "what stands in a queue is not started by age")
		ofEvent, err := s.PendingDeliveriesOf(t.Context(), all[1].EventID, "", 10)
		require.NoError(t, err)
		require.Empty(t, ofEvent, "it is not its turn")
		inTurn, err := s.InTurn(t.Context(), all)
		require.NoError(t, err)
		require.Equal(t, idsOf(all[:1]), idsOf(inTurn))
		waiting, err := s.WaitingDeliveries(t.Context(), r.webhook.ID, models.StatusPending, "", 10)
		require.NoError(t, err)
		require.Equal(t, idsOf(all[:1]), waiting)

		attempted(t, s, all[0], 1, models.StatusFailed)
		first, err := s.FirstInQueue(t.Context(), r.webhook.ID)
		require.NoError(t, err)
		require.Equal(t, all[0].ID, first.ID, "it is not over")
		attempted(t, s, all[0], 2, models.StatusDelivered)
		r.requireFirst(all[1], all)
		require.NoError(t, s.CancelDelivery(t.Context(), all[2].ID, models.CauseRequest, "x"))
		r.requireFirst(all[1], all)

		// One that is given up holds the queue until it arrives after all, or is cancelled.
		attempted(t, s, all[1], 1, models.StatusPermanentlyFailed)
		r.requireFirst(models.Delivery{}, all)
		inTurn, err = s.InTurn(t.Context(), all[3:])
		require.NoError(t, err)
		require.Empty(t, inTurn)
		attempted(t, s, all[1], 2, models.StatusDelivered)
		r.requireFirst(all[3], all)
		attempted(t, s, all[3], 1, models.StatusPermanentlyFailed)
		require.NoError(t, s.CancelDelivery(t.Context(), all[3].ID, models.CauseRequest, "x"))
		require.ErrorIs(t, s.CancelDelivery(t.Context(), all[3].ID, models.CauseRequest, "x"), models.ErrFinished)
		r.requireFirst(all[4], all)
		require.Equal(t, []int64{0, 0, 0, 0, 5}, r.places(all))
		attempted(t, s, all[4], 1, models.StatusDelivered)
		r.requireFirst(models.Delivery{}, all)
	})
}

func TestQueueThatSkips(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureSkip)
		all := r.publish(4)
		attempted(t, s, all[0], 1, models.StatusPermanentlyFailed)
		r.requireFirst(all[1], all)
		order(t, s, r.webhook.ID, models.Queueing{Ordered: true, OnFailure: models.OnFailureWait})
		r.requireFirst(all[1], all)
		attempted(t, s, all[1], 1, models.StatusPermanentlyFailed)
		r.requireFirst(models.Delivery{}, all)
		order(t, s, r.webhook.ID, models.Queueing{Ordered: true, OnFailure: models.OnFailureSkip})
		r.requireFirst(all[2], all)
		require.Equal(t, []int64{0, 0, 3, 4}, r.places(all))
	})
}

// A webhook that becomes ordered has what is under way queue up in the order of its publication; one that stops being so
// lets everything go.
func TestOrderOnAndOff(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		order(t, s, r.webhook.ID, models.Queueing{})
		before := r.publish(4)
		require.Equal(t, []int64{0, 0, 0, 0}, r.places(before))
		attempted(t, s, before[0], 1, models.StatusDelivered)
		attempted(t, s, before[2], 1, models.StatusFailed)
		_, err := s.PublishTest(t.Context(), r.webhook, []byte(`{}`))
		require.NoError(t, err)
		order(t, s, r.webhook.ID, models.Queueing{Ordered: true})
		require.Equal(t, []int64{0, 1, 2, 3}, r.places(before))
		after := r.publish(2)
		require.Equal(t, []int64{4, 5}, r.places(after))
		r.requireFirst(before[1], before)
		test, err := s.PublishTest(t.Context(), r.webhook, []byte(`{}`))
		require.NoError(t, err)
		require.Zero(t, r.place(test), "tests go beside the queue")

		order(t, s, r.webhook.ID, models.Queueing{})
		require.Equal(t, []int64{0, 0}, r.places(after))
		r.requireFirst(models.Delivery{}, after)
		pending, err := s.PendingDeliveries(t.Context(), s.Now(), "", 10)
		require.NoError(t, err)
		require.Subset(t, idsOf(pending), idsOf(after), "the sweep starts them")
		order(t, s, r.webhook.ID, models.Queueing{Ordered: true})
		require.Equal(t, []int64{9, 10}, r.places(after))
	})
}

// While a webhook gets no deliveries its queue stands; what waits for a deleted one is cancelled.
func TestQueueOfAnInactiveWebhook(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		all := r.publish(3)
		_, err := s.UpdateWebhook(t.Context(), everything, r.webhook.ID, func(w *models.Webhook) error { w.Active = false; return nil })
		require.NoError(t, err)
		r.requireFirst(models.Delivery{}, all)
		attempted(t, s, all[0], 1, models.StatusPermanentlyFailed)
		require.NoError(t, s.DeleteWebhook(t.Context(), everything, r.webhook.ID))
		require.Equal(t, []int64{0, 0, 0}, r.places(all))
		for i, want := range []models.CancelCause{"", models.CauseDeleted, models.CauseDeleted} {
			delivery, err := s.Delivery(t.Context(), everything, all[i].ID)
			require.NoError(t, err)
			require.Equal(t, want, delivery.CancelCause)
			require.True(t, delivery.Status.Finished())
			require.NotNil(t, delivery.EndedAt)
		}
	})
}

// A first attempt that a process makes without a workflow, of before the webhook became ordered, is not made twice.
func TestQueueLeavesFirstAttemptsAlone(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		clock := storetest.NewClock()
		s := storetest.New(t, db, store.Config{Now: clock.Now, Lease: time.Minute})
		r := newQueueRig(t, s, models.OnFailureWait)
		queued := r.publish(1)
		require.Nil(t, queued[0].LeasedUntil)
		r.requireFirst(queued[0], queued)
		attempted(t, s, queued[0], 1, models.StatusDelivered)
		order(t, s, r.webhook.ID, models.Queueing{})
		leased := r.publish(1)
		order(t, s, r.webhook.ID, models.Queueing{Ordered: true})
		r.requireFirst(models.Delivery{}, leased)
		clock.Advance(time.Minute)
		r.requireFirst(leased[0], leased)
	})
}

// What holds a queue is kept for as long as it does.
func TestRetentionKeepsWhatHoldsAQueue(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		all := r.publish(2)
		attempted(t, s, all[0], 1, models.StatusPermanentlyFailed)
		purge := models.Purge{What: models.PurgeDeliveries, Before: s.Now().Add(time.Hour), Limit: 10}
		purged, err := s.Purge(t.Context(), purge)
		require.NoError(t, err)
		require.Zero(t, purged.Deleted)
		require.NoError(t, s.CancelDelivery(t.Context(), all[0].ID, models.CauseRequest, "x"))
		purged, err = s.Purge(t.Context(), purge)
		require.NoError(t, err)
		require.EqualValues(t, 1, purged.Deleted)
	})
}

// A recovery has what it resends queue up again, in the order of publication, behind what waits; what the queue waits for
// stays the first. Missed events follow.
func TestRecoveryOfAQueue(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureSkip)
		all := r.publish(4)
		for _, delivery := range []models.Delivery{all[2], all[0], all[1]} {
			attempted(t, s, delivery, 1, models.StatusPermanentlyFailed)
		}
		active := func(active bool) {
			_, err := s.UpdateWebhook(t.Context(), everything, r.webhook.ID, func(w *models.Webhook) error {
				w.Active, w.OnFailure = active, models.OnFailureWait
				return nil
			})
			require.NoError(t, err)
		}
		active(false)
		for range 2 {
			storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`)})
		}
		active(true)
		attempted(t, s, all[3], 1, models.StatusPermanentlyFailed)
		waiting := r.publish(1)
		recovery := models.Recovery{
			WebhookID: r.webhook.ID, OwnerID: r.webhook.OwnerID, Since: s.Now().Add(-month), Until: s.Now().Add(month),
			Include: models.IncludeMissed, Rate: 10,
		}
		require.NoError(t, s.CreateRecovery(t.Context(), &recovery))
		_, err := s.CollectRecovery(t.Context(), recovery.ID, 100)
		require.NoError(t, err)
		_, err = s.CollectRecovery(t.Context(), recovery.ID, 100)
		require.NoError(t, err)
		for range 2 { // the process died in between
			page, _, err := s.ClaimRecovery(t.Context(), recovery.ID, 100)
			require.NoError(t, err)
			require.Len(t, page, 6)
			var places []int64
			for _, delivery := range page {
				require.Equal(t, models.StatusPending, delivery.Status)
				places = append(places, *delivery.Place)
			}
			require.Equal(t, []int64{6, 7, 8, 4, 10, 11}, places, "the one that holds the queue leaves a gap")
			require.Equal(t, idsOf(all), idsOf(page[:4]))
		}
		require.EqualValues(t, 5, *waiting[0].Place)
		r.requireFirst(all[3], append(all, waiting...))
		for _, delivery := range all {
			found, err := s.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			require.Nil(t, found.EndedAt)
		}
	})
}

// A run that waits for its turn is known from then on, and learns that the turn has come meanwhile.
func TestAwaitTurn(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		all := r.publish(2)
		behind, err := s.AwaitTurn(t.Context(), all[1].ID, "run")
		require.NoError(t, err)
		require.Equal(t, all[0].ID, behind)
		attempted(t, s, all[0], 1, models.StatusDelivered)
		first, err := s.FirstInQueue(t.Context(), r.webhook.ID)
		require.NoError(t, err)
		require.Equal(t, "run", first.RunID)
		behind, err = s.AwaitTurn(t.Context(), all[1].ID, "run")
		require.NoError(t, err)
		require.Empty(t, behind)
	})
}
