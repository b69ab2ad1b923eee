package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// atOnce calls a function many times at once.
func atOnce(times int, call func(i int)) {
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { call(i) })
	}
	all.Wait()
}

func TestPublishedAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		mine, other := storetest.Owner(t, store, "mine"), storetest.Owner(t, store, "other")
		exact := makeWebhook(t, store, mine.ID, "order.created", "order.*")
		all := storetest.Webhook(t, store, func(w *models.Webhook) {
			w.OwnerID, w.TimeoutMS, w.Format = other.ID, 1500, models.FormatRaw
		})
		events := []models.Event{
			{Type: "order.created", Broadcast: true}, {Type: "order.paid", OwnerID: mine.ID}, {Type: "nobody.wants", OwnerID: mine.ID},
			{Type: "order.created", OwnerID: other.ID},
		}
		want := [][]string{{exact.ID, all.ID}, {exact.ID}, nil, {all.ID}}
		slices.Sort(want[0])
		const times = 100
		var ids sync.Map
		atOnce(times, func(i int) {
			event := events[i%len(events)]
			event.Data = fmt.Appendf(nil, `{"n":%d}`, i)
			published, err := store.Publish(t.Context(), event)
			if err != nil {
				t.Error(err)
				return
			}
			var got []string
			for n, delivery := range published.Deliveries {
				got = append(got, delivery.WebhookID)
				if _, twice := ids.LoadOrStore(delivery.ID, true); twice {
					t.Errorf("two deliveries are called %s", delivery.ID)
				}
				stored, err := store.Job(t.Context(), delivery.ID, "")
				if err != nil || string(stored.Event.Data) != string(event.Data) || stored.Event.DeliveryCount != len(want[i%len(events)]) {
					t.Errorf("event %d: %v %+v", i, err, stored.Event)
				}
				if published.Jobs != nil {
					requireSameJob(t, stored, published.Jobs[n])
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want[i%len(events)]) {
				t.Errorf("event %d went to %v", i, got)
			}
		})
	})
}

// requireSameJob compares what an attempt is made from.
func requireSameJob(t *testing.T, stored, published models.Job) {
	t.Helper()
	for _, at := range []*time.Time{&stored.Delivery.CreatedAt, &stored.Event.CreatedAt, &published.Delivery.CreatedAt, &published.Event.CreatedAt} {
		*at = at.UTC()
	}
	// What no attempt needs is not answered to the publisher.
	stored.Webhook.Description, stored.Webhook.Events = "", nil
	stored.Webhook.CreatedAt, stored.Webhook.UpdatedAt = time.Time{}, time.Time{}
	stored.Health.WebhookID = published.Health.WebhookID
	stored.Health.FailedDeliveries, stored.Health.ToldAt = 0, nil
	stored.Health.Change, stored.Health.ChangedBy = "", ""
	if fmt.Sprintf("%+v", stored) != fmt.Sprintf("%+v", published) {
		t.Errorf("stored    %+v\npublished %+v", stored, published)
	}
}

// An event that the database refuses fails for its own publisher only.
func TestPublishedAtOnceWithABadOne(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		const times, bad = 40, 7
		var failed sync.Map
		atOnce(times, func(i int) {
			event := models.Event{Type: "a", Data: []byte(`{}`), IdempotencyKey: key(i)}
			if i == bad {
				event.Data = nil // which the column is not for
			}
			if _, err := store.Publish(t.Context(), event); err != nil {
				failed.Store(i, true)
			}
		})
		for i := range times {
			_, got := failed.Load(i)
			require.Equal(t, i == bad, got, "event %d", i)
		}
	})
}

// Two batches of the same events, in two orders, do not wait for each other: PostgreSQL would undo one of them.
func TestBatchesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Postgres(t), store.Config{})
	makeWebhook(t, s, models.DefaultOwnerID, "*")
	const rounds, most = 10, 150
	for round := range rounds {
		events := make([]models.Event, most)
		for i := range events {
			events[i] = models.Event{Type: "a", Data: []byte(`{}`), IdempotencyKey: key(round*most + i)}
		}
		now := s.Now()
		inTwoOrders(t, func(reversed bool) error {
			batch := slices.Clone(events)
			for i := range batch {
				batch[i].ID, batch[i].CreatedAt = typeid.New(typeid.KindEvent, now), now
			}
			if reversed {
				slices.Reverse(batch)
			}
			return store.PublishTogether(t.Context(), s, batch)
		})
		deliveries, _, err := s.Deliveries(t.Context(), everything, models.DeliveryFilter{}, models.Page{Limit: most})
		require.NoError(t, err)
		require.Len(t, deliveries, most)
		inTwoOrders(t, func(reversed bool) error {
			outcomes := make([]models.Outcome, most)
			for i, delivery := range deliveries {
				outcomes[i].Attempt = models.Attempt{
					ID: models.AttemptID(delivery.ID, 1, now), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule, StartedAt: now,
				}
			}
			if reversed {
				slices.Reverse(outcomes)
			}
			return store.RecordTogether(t.Context(), s, outcomes)
		})
	}
}

// inTwoOrders makes two calls at once.
func inTwoOrders(t *testing.T, call func(reversed bool) error) {
	t.Helper()
	var errs [2]error
	atOnce(len(errs), func(i int) { errs[i] = call(i == 1) })
	require.NoError(t, errors.Join(errs[:]...))
}

func TestRecordedAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		const times = 60
		deliveries := make([]models.Delivery, times)
		for i := range deliveries {
			deliveries[i] = storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		}
		now := store.Now()
		code := 200
		outcome := func(delivery models.Delivery, n int) models.Outcome {
			return models.Outcome{
				Attempt: models.Attempt{
					ID: models.AttemptID(delivery.ID, n, now), DeliveryID: delivery.ID, Number: n, Trigger: models.TriggerSchedule,
					StatusCode: &code, DurationMS: 12, ResponseBody: []byte("ok\xff"), RemoteAddr: "127.0.0.1:80", StartedAt: now,
				},
				Status: models.StatusDelivered, RunID: "run", Health: models.WebhookHealth{WebhookID: webhook.ID, LastSuccessAt: &now},
			}
		}
		// Two attempts of each delivery, and each of them three times.
		atOnce(6*times, func(i int) {
			recorded, err := store.RecordAttempt(t.Context(), outcome(deliveries[i/6], 1+i%2))
			if err != nil || recorded.Change != "" || recorded.News != nil {
				t.Errorf("%v %+v", err, recorded)
			}
		})
		for _, delivery := range deliveries {
			got, err := store.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			require.Equal(t, models.StatusDelivered, got.Status)
			require.Equal(t, 2, got.AttemptCount)
			require.Equal(t, "run", got.RunID)
			require.Equal(t, 200, *got.LastStatusCode)
			deliveredAt := now.Add(12 * time.Millisecond)
			requireTime(t, &deliveredAt, got.DeliveredAt)
			attempts, err := store.Attempts(t.Context(), delivery.ID)
			require.NoError(t, err)
			require.Len(t, attempts, 2)
			want := outcome(delivery, 1).Attempt
			requireTime(t, &want.StartedAt, &attempts[0].StartedAt)
			attempts[0].StartedAt = want.StartedAt
			require.Equal(t, want.Of(delivery), attempts[0])
		}

		// Of a delivery that was purged, nothing is written.
		gone := deliveries[0]
		gone.ID = typeid.New(typeid.KindDelivery, now)
		_, err := store.RecordAttempt(t.Context(), outcome(gone, 1))
		require.NoError(t, err)
		attempts, err := store.Attempts(t.Context(), gone.ID)
		require.NoError(t, err)
		require.Empty(t, attempts)
	})
}

// A first attempt without a workflow changes only a delivery that still waits for it, unless it succeeds.
func TestRecordAttemptWithoutAWorkflow(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		next := store.Now().Add(time.Minute)
		for _, test := range []struct {
			status    models.Status
			cancelled bool
			want      models.Status
		}{
			{models.StatusFailed, false, models.StatusFailed},
			{models.StatusFailed, true, models.StatusCancelled},
			{models.StatusPermanentlyFailed, true, models.StatusCancelled},
			{models.StatusDelivered, true, models.StatusDelivered},
		} {
			delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
			if test.cancelled {
				require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "for a test"))
			}
			id := models.FirstAttemptID(delivery.ID)
			require.NoError(t, typeid.Check(typeid.KindAttempt, id))
			require.Equal(t, delivery.ID[len("dlv_"):][:10], id[len("att_"):][:10], "the time is the delivery's")
			outcome := models.Outcome{Status: test.status, Attempt: models.Attempt{
				ID: id, DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule, StartedAt: store.Now(),
			}}
			if test.status != models.StatusDelivered {
				outcome.Attempt.ErrorClass = models.ErrorTimeout
			}
			if test.status == models.StatusFailed {
				outcome.NextAttemptAt = &next
			}
			recorded := record(t, store, outcome)
			require.Equal(t, test.want != test.status, recorded.Superseded)
			got, err := store.Delivery(t.Context(), everything, delivery.ID)
			require.NoError(t, err)
			require.Equal(t, test.want, got.Status)
			require.Equal(t, 1, got.AttemptCount)
			require.Equal(t, test.want == models.StatusFailed, got.NextAttemptAt != nil)
		}
	})
}
