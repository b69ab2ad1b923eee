package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

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
		// A lease of an attempt before must not hide it from the sweep, should its turn be told to a run that is ending.
		require.NoError(t, s.Postpone(t.Context(), all[0].ID, s.Now(), s.Now().Add(time.Hour)))
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
			require.Nil(t, found.LeasedUntil)
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

// What is to be delivered later joins the queue when it is due: until then nothing waits for it.
func TestScheduledDeliveryJoinsTheQueue(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		r := newQueueRig(t, s, models.OnFailureWait)
		at := s.Now().Add(time.Hour)
		later := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`), DeliverAt: &at}).Deliveries[0]
		now := r.publish(1)
		require.Equal(t, []int64{0, 1}, r.places([]models.Delivery{later, now[0]}))
		order(t, s, r.webhook.ID, models.Queueing{})
		order(t, s, r.webhook.ID, models.Queueing{Ordered: true})
		require.Equal(t, []int64{0, 2}, r.places([]models.Delivery{later, now[0]}))
		r.requireFirst(now[0], now)
		for _, want := range []*int64{new(int64), nil} {
			place, err := s.JoinQueue(t.Context(), later)
			require.NoError(t, err)
			if want == nil {
				require.Nil(t, place, "it stands there already")
				continue
			}
			require.EqualValues(t, 3, *place)
		}
		behind, err := s.AwaitTurn(t.Context(), later.ID, "run")
		require.NoError(t, err)
		require.Equal(t, now[0].ID, behind)
		attempted(t, s, now[0], 1, models.StatusDelivered)
		first, err := s.FirstInQueue(t.Context(), r.webhook.ID)
		require.NoError(t, err)
		require.Equal(t, later.ID, first.ID)
	})
}
