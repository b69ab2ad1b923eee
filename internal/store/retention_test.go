package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

const month = 30 * 24 * time.Hour

// purge deletes everything of a kind that is older than a month, in batches of two.
func purge(t *testing.T, store *store.Store, what models.Purgeable) (deleted, attempts int64) {
	t.Helper()
	for after, more := "", true; more; more = after != "" {
		purged, err := store.Purge(t.Context(), models.Purge{What: what, Before: store.Now().Add(-month), After: after, Limit: 2})
		require.NoError(t, err)
		deleted, attempts, after = deleted+purged.Deleted, attempts+purged.Attempts, purged.Last
	}
	return deleted, attempts
}

func TestPurgeDeliveriesAndTheirEvents(t *testing.T) {
	for name, test := range map[string]struct {
		// then is what happens when the event has just been published, later what happens after a month.
		then, later func(*testing.T, *store.Store, models.Delivery)
		young       bool
		kept        bool
	}{
		"delivered goes":          {then: ended(models.StatusDelivered)},
		"permanently failed goes": {then: ended(models.StatusPermanentlyFailed)},
		"cancelled goes": {then: func(t *testing.T, store *store.Store, delivery models.Delivery) {
			require.NoError(t, store.CancelDelivery(t.Context(), delivery.ID, models.CauseRequest, "x"))
		}},
		"pending stays, however old":     {kept: true},
		"one that waits stays":           {then: ended(models.StatusFailed), kept: true},
		"young stays":                    {then: ended(models.StatusDelivered), young: true, kept: true},
		"resent lately stays":            {then: ended(models.StatusDelivered), later: ended(models.StatusDelivered), kept: true},
		"one whose wait has ended stays": {then: ended(models.StatusFailed), later: ended(models.StatusDelivered), kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
				s, clock := clockedStore(t, db)
				makeWebhook(t, s, models.DefaultOwnerID, "*")
				published := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`), IdempotencyKey: key(1)})
				delivery := published.Deliveries[0]
				attempts := 0
				for _, step := range []struct {
					does  func(*testing.T, *store.Store, models.Delivery)
					after time.Duration
				}{{test.then, month - time.Minute}, {test.later, 2 * time.Minute}} {
					if step.does != nil {
						step.does(t, s, delivery)
						list, err := s.Attempts(t.Context(), delivery.ID)
						require.NoError(t, err)
						attempts = len(list)
					}
					if !test.young {
						clock.Advance(step.after)
					}
				}
				deleted, log := purge(t, s, models.PurgeDeliveries)
				events, _ := purge(t, s, models.PurgeEvents)
				_, err := s.Delivery(t.Context(), everything, delivery.ID)
				list, listErr := s.Attempts(t.Context(), delivery.ID)
				require.NoError(t, listErr)
				again := storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`), IdempotencyKey: key(1)})
				if test.kept {
					require.NoError(t, err)
					require.Zero(t, deleted+log+events)
					require.Len(t, list, attempts)
					require.True(t, again.Duplicate)
					return
				}
				require.ErrorIs(t, err, models.ErrNotFound)
				require.Equal(t, []int64{1, int64(attempts), 1}, []int64{deleted, log, events})
				require.Empty(t, list)
				require.False(t, again.Duplicate, "the idempotency key is gone with its event")
			})
		})
	}
}

// ended records an attempt after which the delivery has a status.
func ended(status models.Status) func(*testing.T, *store.Store, models.Delivery) {
	return func(t *testing.T, store *store.Store, delivery models.Delivery) {
		t.Helper()
		list, err := store.Attempts(t.Context(), delivery.ID)
		require.NoError(t, err)
		attempted(t, store, delivery, len(list)+1, status)
	}
}

// Many batches see every row once, also where most rows have to stay.
func TestPurgeGoesOnBehindWhatStays(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		kept := map[string]bool{}
		for n := range 11 {
			delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
			if n%5 == 4 {
				attempted(t, store, delivery, 1, models.StatusDelivered)
			} else {
				kept[delivery.EventID] = true
			}
			clock.Advance(time.Second)
		}
		clock.Advance(month)
		deleted, attempts := purge(t, store, models.PurgeDeliveries)
		require.Equal(t, []int64{2, 2}, []int64{deleted, attempts})
		deleted, _ = purge(t, store, models.PurgeEvents)
		require.EqualValues(t, 2, deleted)
		deliveries, _, err := store.Deliveries(t.Context(), everything, models.DeliveryFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, deliveries, len(kept))
		for _, delivery := range deliveries {
			_, err := store.Event(t.Context(), everything, delivery.EventID)
			require.NoError(t, err)
		}
	})
}

// An event stays as long as one of its deliveries does.
func TestPurgeKeepsTheEventOfAWaitingDelivery(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		published := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)})
		attempted(t, store, published.Deliveries[0], 1, models.StatusDelivered)
		clock.Advance(month + time.Second)
		deleted, _ := purge(t, store, models.PurgeDeliveries)
		require.EqualValues(t, 1, deleted)
		deleted, _ = purge(t, store, models.PurgeEvents)
		require.Zero(t, deleted)
		job, err := store.Job(t.Context(), published.Deliveries[1].ID, "att_x")
		require.NoError(t, err)
		require.Equal(t, published.Event.ID, job.Event.ID)
	})
}

// What was deleted or revoked goes a month after that, unless something still refers to it.
func TestPurgeWhatWasDeleted(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		waiting := makeWebhook(t, store, models.DefaultOwnerID, "a")
		unused, active := makeWebhook(t, store, models.DefaultOwnerID, "b"), makeWebhook(t, store, models.DefaultOwnerID, "b")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		revoked, _, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		_, valid, err := store.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
		require.NoError(t, err)
		for _, id := range []string{waiting.ID, unused.ID} {
			require.NoError(t, store.DeleteWebhook(t.Context(), everything, id))
		}
		require.NoError(t, store.RevokeAPIKey(t.Context(), revoked.ID))

		clock.Advance(month - time.Second)
		for _, what := range models.Purgeables() {
			deleted, _ := purge(t, store, what)
			require.Zero(t, deleted, "%s: a month has not passed", what)
		}
		clock.Advance(2 * time.Second)
		for _, what := range []models.Purgeable{models.PurgeWebhooks, models.PurgeKeys} {
			deleted, _ := purge(t, store, what)
			require.EqualValues(t, 1, deleted, what)
		}
		_, err = store.Webhook(t.Context(), everything, active.ID)
		require.NoError(t, err)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(valid))
		require.NoError(t, err)
		_, err = store.Job(t.Context(), delivery.ID, "att_x")
		require.NoError(t, err, "a delivery that waits has its webhook")
	})
}

// With a webhook goes what is known of its health and its rate limit.
func TestPurgeHealth(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		goes, stays := makeWebhook(t, store, models.DefaultOwnerID, "a"), makeWebhook(t, store, models.DefaultOwnerID, "a")
		for _, delivery := range storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries {
			attempted(t, store, delivery, 1, models.StatusDelivered)
			_, err := store.ReserveRequest(t.Context(), delivery.WebhookID, 1, nil)
			require.NoError(t, err)
		}
		require.NoError(t, store.DeleteWebhook(t.Context(), everything, goes.ID))
		clock.Advance(month + time.Second)
		for _, what := range models.Purgeables() {
			purge(t, store, what)
		}
		for _, table := range []string{"webhooks", "webhook_health", "webhook_slots"} {
			column := map[bool]string{true: "id", false: "webhook_id"}[table == "webhooks"]
			var left []string
			require.NoError(t, db.Table(table).Pluck(column, &left).Error)
			require.Equal(t, []string{stays.ID}, left, table)
		}
	})
}

// A recovery goes a month after its end, however long it took.
func TestPurgeRecoveries(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		begin := func(webhookID string) string {
			recovery := models.Recovery{WebhookID: webhookID, OwnerID: models.DefaultOwnerID, Include: models.IncludeFailed, Rate: 1}
			require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
			return recovery.ID
		}
		end := func(id string) {
			_, err := store.SetRecoveryStatus(t.Context(), id, models.RecoveryCancelled, "x")
			require.NoError(t, err)
		}
		goes, late, paused := begin("wh_a"), begin("wh_b"), begin("wh_c")
		end(goes)
		clock.Advance(time.Hour)
		end(late)
		clock.Advance(month - time.Minute)
		deleted, _ := purge(t, store, models.PurgeRecoveries)
		require.EqualValues(t, 1, deleted)
		_, err := store.Recovery(t.Context(), everything, goes)
		require.ErrorIs(t, err, models.ErrNotFound)
		for _, id := range []string{late, paused} {
			_, err := store.Recovery(t.Context(), everything, id)
			require.NoError(t, err)
		}
	})
}

func TestPurgeInbound(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		sources := make([]models.Source, 3) // with a pending event, without, and not deleted
		for i := range sources {
			sources[i] = models.Source{OwnerID: models.DefaultOwnerID, Name: "s", Scheme: "stripe", Active: true}
			require.NoError(t, store.CreateSource(t.Context(), &sources[i], []string{"x"}))
			require.NoError(t, store.RecordRejection(t.Context(), sources[i].ID, "signature", "192.0.2.1"))
			for n := range 2 {
				inbound := models.InboundEvent{SourceID: sources[i].ID, ProviderID: fmt.Sprint(n), Body: []byte(`{}`)}
				_, err := store.StoreInbound(t.Context(), &inbound)
				require.NoError(t, err)
				if n > 0 || i > 0 {
					require.NoError(t, store.FailInbound(t.Context(), inbound.ID, "x"))
				}
			}
		}
		for _, source := range sources[:2] {
			require.NoError(t, store.DeleteSource(t.Context(), everything, source.ID))
		}
		clock.Advance(month + time.Second)
		require.NoError(t, store.RecordRejection(t.Context(), sources[2].ID, "signature", "192.0.2.1"))
		for what, want := range map[models.Purgeable]int64{
			models.PurgeInbound: 5, models.PurgeRejections: 3,
		} {
			deleted, _ := purge(t, store, what)
			require.Equal(t, want, deleted, what)
		}
		deleted, _ := purge(t, store, models.PurgeSources)
		require.EqualValues(t, 1, deleted)
		left, _, err := store.InboundEvents(t.Context(), everything, models.InboundFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, left, 1)
		require.Equal(t, models.InboundPending, left[0].Status)
		rejections, err := store.Rejections(t.Context(), sources[2].ID)
		require.NoError(t, err)
		require.Len(t, rejections, 1)
	})
}

func TestPurgeOfNothingKnown(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		_, err := store.Purge(t.Context(), models.Purge{What: "owners", Before: store.Now(), Limit: 1})
		require.EqualError(t, err, `purge: there is nothing named "owners"`)
	})
}

// An attempt that ends when its delivery has been purged leaves nothing behind.
func TestAttemptOfAPurgedDelivery(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		makeWebhook(t, store, models.DefaultOwnerID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		attempted(t, store, delivery, 1, models.StatusPermanentlyFailed)
		clock.Advance(month + time.Second)
		deleted, _ := purge(t, store, models.PurgeDeliveries)
		require.EqualValues(t, 1, deleted)
		attempted(t, store, delivery, 2, models.StatusDelivered)
		attempts, err := store.Attempts(t.Context(), delivery.ID)
		require.NoError(t, err)
		require.Empty(t, attempts)
	})
}

// A purge does not wait for what someone works on: it leaves it for the next one.
func TestPurgeSkipsWhatIsLocked(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	db := storetest.Open(t, url)
	s, clock := clockedStore(t, db)
	webhook := makeWebhook(t, s, models.DefaultOwnerID, "*")
	for range 2 {
		attempted(t, s, storetest.Publish(t, s, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0], 1, models.StatusDelivered)
	}
	deliveries, _, err := s.Deliveries(t.Context(), everything, models.DeliveryFilter{WebhookIDs: []string{webhook.ID}}, models.Page{})
	require.NoError(t, err)
	clock.Advance(month + time.Second)

	impatient := store.New(storetest.Open(t, url+"&lock_timeout=1"), store.Config{Now: clock.Now})
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		locked := tx.Exec("SELECT FROM deliveries WHERE id = ? FOR UPDATE", deliveries[0].ID)
		require.NoError(t, locked.Error)
		require.NoError(t, tx.Exec("SELECT FROM events WHERE id = ? FOR UPDATE", deliveries[1].EventID).Error)
		deleted, attempts := purge(t, impatient, models.PurgeDeliveries)
		require.Equal(t, []int64{1, 1}, []int64{deleted, attempts})
		deleted, _ = purge(t, impatient, models.PurgeEvents)
		require.Zero(t, deleted)
		return nil
	}))
	deleted, attempts := purge(t, impatient, models.PurgeDeliveries)
	require.Equal(t, []int64{1, 1}, []int64{deleted, attempts})
	deleted, _ = purge(t, impatient, models.PurgeEvents)
	require.EqualValues(t, 2, deleted)
}
