package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestEraseEvent(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		makeWebhook(t, s, models.DefaultOwnerID, "*")
		makeWebhook(t, s, models.DefaultOwnerID, "*")
		event := models.Event{Type: "a", Data: []byte(`"private"`), Metadata: models.Metadata{"card": "private"}, IdempotencyKey: key(1)}
		published := storetest.Publish(t, s, event)
		other := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`"kept"`)})
		done, waits := published.Deliveries[0], published.Deliveries[1]
		attempted(t, s, done, 1, models.StatusDelivered)
		attempted(t, s, waits, 1, models.StatusFailed)
		attempted(t, s, other.Deliveries[0], 1, models.StatusDelivered)

		erased, waiting, err := s.EraseEvent(t.Context(), published.Event.ID)
		require.NoError(t, err)
		require.Len(t, waiting, 1)
		require.Equal(t, waits.ID, waiting[0].ID)
		require.NotNil(t, erased.ErasedAt)
		stored, err := s.Event(t.Context(), everything, published.Event.ID)
		require.NoError(t, err)
		require.Equal(t, "null", string(stored.Data))
		require.Empty(t, stored.Metadata)
		requireTime(t, erased.ErasedAt, stored.ErasedAt)
		for id, want := range map[string]models.Status{done.ID: models.StatusDelivered, waits.ID: models.StatusCancelled} {
			delivery, err := s.Delivery(t.Context(), everything, id)
			require.NoError(t, err)
			require.Equal(t, want, delivery.Status)
			require.True(t, delivery.Erased)
			require.Nil(t, delivery.NextAttemptAt)
			if want == models.StatusCancelled {
				require.Equal(t, models.CauseErased, delivery.CancelCause)
				require.NotNil(t, delivery.EndedAt)
			}
			attempts, err := s.Attempts(t.Context(), id)
			require.NoError(t, err)
			require.Len(t, attempts, 1)
			require.Nil(t, attempts[0].ResponseBody)
			require.Nil(t, attempts[0].RequestHeaders)
			require.Nil(t, attempts[0].ResponseHeaders)
		}
		attempts, err := s.Attempts(t.Context(), other.Deliveries[0].ID)
		require.NoError(t, err)
		require.NotEmpty(t, attempts[0].ResponseBody, "another event's")

		again, waiting, err := s.EraseEvent(t.Context(), published.Event.ID)
		require.NoError(t, err)
		require.Empty(t, waiting)
		requireTime(t, erased.ErasedAt, again.ErasedAt)
		require.True(t, storetest.Publish(t, s, event).Duplicate, "it is not published again")
		_, _, err = s.EraseEvent(t.Context(), "evt_x")
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

// What was under way when the event was erased is recorded without its answer, by whichever way.
func TestAttemptsUnderWayWhenTheirEventIsErased(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		webhook := makeWebhook(t, s, models.DefaultOwnerID, "*")
		now := s.Now()
		for _, settled := range []bool{true, false} {
			for _, status := range []models.Status{models.StatusDelivered, models.StatusFailed} {
				published := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`"private"`)})
				_, _, err := s.EraseEvent(t.Context(), published.Event.ID)
				require.NoError(t, err)
				delivery := published.Deliveries[0]
				outcome := models.Outcome{Status: status, RunID: "run", Attempt: models.Attempt{
					ID: models.AttemptID(delivery.ID, 1, now), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule,
					ResponseBody: []byte("private"), RequestHeaders: []byte("private"), ResponseHeaders: []byte("private"), StartedAt: now,
				}}
				if settled {
					outcome.Health = models.WebhookHealth{WebhookID: webhook.ID, LastSuccessAt: &now}
				}
				if status == models.StatusFailed {
					outcome.Attempt.ErrorClass, outcome.NextAttemptAt = models.ErrorTimeout, &now
				}
				_, err = s.RecordAttempt(t.Context(), outcome)
				require.NoError(t, err)
				attempts, err := s.Attempts(t.Context(), delivery.ID)
				require.NoError(t, err)
				require.Len(t, attempts, 1)
				require.Nil(t, attempts[0].ResponseBody)
				require.Nil(t, attempts[0].RequestHeaders)
				require.Nil(t, attempts[0].ResponseHeaders)
			}
		}
	})
}

// An erasure and the records of attempts at the same moment, in every order that comes about: no answer is left, and
// nothing that finds the delivery by the event's metadata.
func TestEraseWhileAttemptsAreRecorded(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		for range 4 {
			makeWebhook(t, s, models.DefaultOwnerID, "*")
		}
		now := s.Now()
		for range 25 {
			published := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`"private"`), Metadata: models.Metadata{"card": "private"}})
			atOnce(len(published.Deliveries)+1, func(i int) {
				if i == len(published.Deliveries) {
					if _, _, err := s.EraseEvent(t.Context(), published.Event.ID); err != nil {
						t.Error(err)
					}
					return
				}
				delivery := published.Deliveries[i]
				status, reason := models.StatusDelivered, ""
				if i == 0 {
					status, reason = models.StatusFailed, "refused"
				}
				_, err := s.RecordAttempt(t.Context(), models.Outcome{
					Status: status, RunID: "run", Health: models.WebhookHealth{WebhookID: delivery.WebhookID, LastSuccessAt: &now},
					Attempt: models.Attempt{ID: models.AttemptID(delivery.ID, 1, now), DeliveryID: delivery.ID, Number: 1,
						Trigger: models.TriggerSchedule, ResponseBody: []byte("private"), StartedAt: now, Error: reason},
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		var left int64
		require.NoError(t, db.Table("attempts").Where("response_body IS NOT NULL").Count(&left).Error)
		require.Zero(t, left)
		require.NoError(t, db.Table("delivery_words").Where("word = 'private'").Count(&left).Error)
		require.Zero(t, left)
	})
}

func TestEraseTheInboundEventBehind(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s := storetest.New(t, db, store.Config{})
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "x", Scheme: "github"}
		require.NoError(t, s.CreateSource(t.Context(), &source, []string{"secret"}))
		inbound := models.InboundEvent{SourceID: source.ID, OwnerID: models.DefaultOwnerID, ProviderID: "1", Type: "a",
			Body: []byte(`"private"`), Headers: models.Headers{"X-A": "private"}}
		_, err := s.StoreInbound(t.Context(), &inbound)
		require.NoError(t, err)
		published, err := s.ProcessInbound(t.Context(), inbound.ID, func(inbound models.InboundEvent, _ models.Source) (models.Event, error) {
			return models.Event{Type: "a", Data: inbound.Body, OwnerID: inbound.OwnerID}, nil
		})
		require.NoError(t, err)
		require.NoError(t, s.ReprocessInbound(t.Context(), inbound.ID))
		_, _, err = s.EraseEvent(t.Context(), published.Event.ID)
		require.NoError(t, err)
		stored, err := s.InboundEvent(t.Context(), everything, inbound.ID)
		require.NoError(t, err)
		require.Empty(t, stored.Body)
		require.Empty(t, stored.Headers)
		require.NotNil(t, stored.ErasedAt)
		require.Equal(t, models.InboundProcessed, stored.Status, "it was to be processed again")
		require.ErrorIs(t, s.ReprocessInbound(t.Context(), inbound.ID), models.ErrErased)
	})
}

// A recovery brings nothing of which the data is gone.
func TestRecoverySkipsErasedEvents(t *testing.T) {
	onEachRecoveryRig(t, func(t *testing.T, r *recoveryRig) {
		since := r.store.Now()
		failed := storetest.Publish(t, r.store, models.Event{Type: "order.created", Data: []byte(`1`), OwnerID: r.webhook.OwnerID})
		attempted(t, r.store, failed.Deliveries[0], 1, models.StatusPermanentlyFailed)
		r.activate(false)
		missed := storetest.Publish(t, r.store, models.Event{Type: "order.created", Data: []byte(`1`), OwnerID: r.webhook.OwnerID})
		r.activate(true)
		for _, id := range []string{failed.Event.ID, missed.Event.ID} {
			_, _, err := r.store.EraseEvent(t.Context(), id)
			require.NoError(t, err)
		}
		for _, include := range []models.Include{models.IncludeMissed, models.IncludeAll} {
			recovery := r.start(include, since.Add(-1), r.store.Now().Add(1))
			require.Zero(t, collect(t, r.store, recovery.ID).Total, include)
			_, _ = r.next(recovery.ID, 5)
		}
	})
}
