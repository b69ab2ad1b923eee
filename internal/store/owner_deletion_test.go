package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// A suspended owner gets nothing and its keys do nothing, and all of it goes on as it was when it is active again.
func TestSuspendedOwner(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner, other := storetest.Owner(t, store, "acme"), storetest.Owner(t, store, "other")
		makeWebhook(t, store, other.ID, "*")
		webhook := makeWebhook(t, store, owner.ID, "*")
		paused := makeWebhook(t, store, owner.ID, "*")
		_, err := store.UpdateWebhook(t.Context(), everything, paused.ID, func(w *models.Webhook) error { w.Active = false; return nil })
		require.NoError(t, err)
		source := makeSource(t, store, owner.ID)
		_, token, err := store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
		require.NoError(t, err)
		active := func(active bool) {
			changed, err := store.UpdateOwner(t.Context(), owner.ID, func(o *models.Owner) error { o.Active = active; return nil })
			require.NoError(t, err)
			require.Equal(t, active, changed.Active)
		}
		deliveries := func(ownerID string) int {
			n := len(storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), OwnerID: ownerID, Broadcast: ownerID == ""}).Deliveries)
			return n
		}
		require.Equal(t, 1, deliveries(owner.ID))

		active(false)
		later := makeWebhook(t, store, owner.ID, "*")
		require.True(t, later.Suspended, "what is made meanwhile too")
		_, _, err = store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
		require.NoError(t, err)
		require.Zero(t, deliveries(owner.ID))
		require.Equal(t, 1, deliveries(other.ID))
		require.Equal(t, 1, deliveries(""), "to all owners")
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.ErrorIs(t, err, models.ErrOwnerSuspended)
		got, err := store.Source(t.Context(), everything, source.ID)
		require.NoError(t, err)
		require.True(t, got.Suspended && got.Active)
		// Changing a webhook does not let it in by the back door.
		_, err = store.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error { w.Description = "x"; return nil })
		require.NoError(t, err)
		require.Zero(t, deliveries(owner.ID))

		active(true)
		require.Equal(t, 2, deliveries(owner.ID), "the one that was paused stays so")
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
	})
}

// A recovery waits for the end of the suspension.
func TestRecoveryOfASuspendedOwner(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		webhook := makeWebhook(t, store, owner.ID, "*")
		attempted(t, store, storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), OwnerID: owner.ID}).Deliveries[0], 1, models.StatusPermanentlyFailed)
		now := store.Now()
		recovery := models.Recovery{
			WebhookID: webhook.ID, OwnerID: owner.ID, Since: now.Add(-month), Until: now.Add(month), Include: models.IncludeFailed, Rate: 1,
		}
		require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
		_, err := store.CollectRecovery(t.Context(), recovery.ID, 10)
		require.NoError(t, err)
		_, err = store.UpdateOwner(t.Context(), owner.ID, func(o *models.Owner) error { o.Active = false; return nil })
		require.NoError(t, err)
		page, got, err := store.ClaimRecovery(t.Context(), recovery.ID, 10)
		require.NoError(t, err)
		require.Empty(t, page)
		require.Equal(t, models.RecoveryPaused, got.Status)
		require.Equal(t, "the owner is suspended", got.Reason)
	})
}

func makeSource(t *testing.T, store *store.Store, ownerID string) models.Source {
	t.Helper()
	source := models.Source{OwnerID: ownerID, Name: "s", Scheme: "stripe", EventPrefix: "s", Active: true}
	require.NoError(t, store.CreateSource(t.Context(), &source, []string{"whsec_x"}))
	return source
}

// fillOwner gives an owner something in every table that owners have anything in.
func fillOwner(t *testing.T, store *store.Store, ownerID string) (token string) {
	t.Helper()
	webhook, source := makeWebhook(t, store, ownerID, "*"), makeSource(t, store, ownerID)
	_, token, err := store.CreateAPIKey(t.Context(), ownerID, models.RoleFull, nil)
	require.NoError(t, err)
	event := models.Event{Type: "a", Data: []byte(`{"x":"confidential"}`), OwnerID: ownerID}
	attempted(t, store, storetest.Publish(t, store, event).Deliveries[0], 1, models.StatusPermanentlyFailed)
	attempted(t, store, storetest.Publish(t, store, event).Deliveries[0], 1, models.StatusFailed)
	storetest.Publish(t, store, event)
	require.NoError(t, store.CreateSession(t.Context(), &models.Session{OwnerID: ownerID, Role: models.RoleRead, Portal: true, LinkHash: []byte(ownerID)}))
	_, err = store.ReserveRequest(t.Context(), webhook.ID, 1, nil)
	require.NoError(t, err)
	rotate(t, store, &webhook, month)
	order(t, store, webhook.ID, models.Queueing{Ordered: true})
	require.NoError(t, store.RecordRejection(t.Context(), source.ID, "signature", "192.0.2.1"))
	_, err = store.StoreInbound(t.Context(), &models.InboundEvent{SourceID: source.ID, OwnerID: ownerID, ProviderID: "1", Body: []byte(`{}`)})
	require.NoError(t, err)
	now := store.Now()
	recovery := models.Recovery{
		WebhookID: webhook.ID, OwnerID: ownerID, Since: now.Add(-month), Until: now.Add(month), Include: models.IncludeFailed, Rate: 1,
	}
	require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
	_, err = store.CollectRecovery(t.Context(), recovery.ID, 10)
	require.NoError(t, err)
	require.NoError(t, store.RecordAudit(t.Context(), &models.AuditEntry{Action: "x", ObjectID: webhook.ID}))
	call := models.IdempotentCall{OwnerID: ownerID, Operation: "x", IdempotencyKey: "k", RequestHash: []byte("x")}
	_, _, err = store.AnswerInOneCommit(t.Context(), call, func(context.Context) (models.Answer, bool) { return models.Answer{Status: 201}, true })
	require.NoError(t, err)
	return token
}

// rowsByTable counts what every table holds.
func rowsByTable(t *testing.T, db *gorm.DB) map[string]int64 {
	t.Helper()
	rows := map[string]int64{}
	for table := range tablesOf(t, db) {
		if strings.HasPrefix(table, "statistics") || table == "event_types" {
			continue // the first have rows after an hour (TestStatisticsOfADeletedOwner), the catalogue belongs to no owner
		}
		var n int64
		require.NoError(t, db.Table(table).Count(&n).Error)
		rows[table] = n
	}
	return rows
}

// A deleted owner ends at once, and then all that it had goes, in every table there is; nothing of another does.
func TestDeletedOwnerLeavesNothing(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store := storetest.New(t, db, store.Config{})
		other := storetest.Owner(t, store, "other")
		otherToken := fillOwner(t, store, other.ID)
		before := rowsByTable(t, db)
		for table, rows := range before {
			require.NotZero(t, rows, "fillOwner puts nothing into %s: add what belongs to owners, or leave it out here", table)
		}
		owner := storetest.Owner(t, store, "acme")
		token := fillOwner(t, store, owner.ID)
		waiting, err := store.OwnerDeliveries(t.Context(), owner.ID, "", 10)
		require.NoError(t, err)
		require.Len(t, waiting, 2)

		purge, err := store.PurgeOwner(t.Context(), owner.ID, 1)
		require.NoError(t, err)
		require.True(t, purge.Done)
		require.Empty(t, purge.Deleted, "an owner that was not deleted is not purged")
		deleted, err := store.DeleteOwner(t.Context(), owner.ID)
		require.NoError(t, err)
		again, err := store.DeleteOwner(t.Context(), owner.ID)
		require.NoError(t, err)
		require.True(t, deleted.DeletedAt.Equal(*again.DeletedAt))

		// At once.
		_, err = store.Owner(t.Context(), owner.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.ErrorIs(t, err, models.ErrNotFound)
		_, _, err = store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
		require.ErrorIs(t, err, models.ErrNotFound)
		require.ErrorIs(t, store.CreateWebhook(t.Context(), &models.Webhook{OwnerID: owner.ID, Events: []string{"*"}}, storetest.Secret), models.ErrNotFound)
		require.ErrorIs(t, store.CreateSource(t.Context(), &models.Source{OwnerID: owner.ID}, nil), models.ErrNotFound)
		webhooks, _, err := store.Webhooks(t.Context(), models.Scope{OwnerID: owner.ID}, models.WebhookFilter{}, models.Page{})
		require.NoError(t, err)
		require.Empty(t, webhooks)
		require.Len(t, storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), Broadcast: true}).Deliveries, 1, "only the other's")
		require.NoError(t, db.Exec("DELETE FROM events WHERE owner_id = ''").Error)
		require.NoError(t, db.Exec("DELETE FROM deliveries WHERE event_id NOT IN (SELECT id FROM events)").Error)
		for _, secret := range []string{"SELECT count(*) FROM webhooks WHERE owner_id = ? AND (length(secret) > 0 OR previous_secret IS NOT NULL)",
			"SELECT count(*) FROM sources WHERE owner_id = ? AND length(secrets) > 0"} {
			var left int64
			require.NoError(t, db.Raw(secret, owner.ID).Scan(&left).Error)
			require.Zero(t, left, secret)
		}
		ids, err := store.DeletedOwners(t.Context(), store.Now(), 10)
		require.NoError(t, err)
		require.Equal(t, []string{owner.ID}, ids)

		sums := map[string]int64{}
		for batches := 0; ; batches++ {
			require.Less(t, batches, 100)
			purge, err := store.PurgeOwner(t.Context(), owner.ID, 2)
			require.NoError(t, err)
			for table, rows := range purge.Deleted {
				sums[table] += rows
			}
			if purge.Done {
				break
			}
		}
		require.EqualValues(t, 3, sums["deliveries"])
		require.EqualValues(t, 2, sums["attempts"])
		after := rowsByTable(t, db)
		before["audit"]++ // the trail stays
		require.Equal(t, before, after)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(otherToken))
		require.NoError(t, err)
		_, err = store.DeleteOwner(t.Context(), owner.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		purge, err = store.PurgeOwner(t.Context(), owner.ID, 2)
		require.NoError(t, err)
		require.True(t, purge.Done, "again")
	})
}

// An event for all that went to an owner who is gone is still missed by those who missed it.
func TestDeletedOwnerLeavesWhatOthersMissed(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store := storetest.New(t, db, store.Config{})
		gone, stays, missing := storetest.Owner(t, store, "gone"), storetest.Owner(t, store, "stays"), storetest.Owner(t, store, "missing")
		makeWebhook(t, store, gone.ID, "*")
		makeWebhook(t, store, gone.ID, "*")
		makeWebhook(t, store, gone.ID, "a")
		makeWebhook(t, store, stays.ID, "*")
		since := store.Now()
		var events []string
		for _, kind := range []string{"a", "b", "a"} {
			events = append(events, storetest.Publish(t, store, models.Event{Type: kind, Data: []byte(`{}`), Broadcast: true}).Event.ID)
		}
		webhook := makeWebhook(t, store, missing.ID, "*")
		_, err := store.DeleteOwner(t.Context(), gone.ID)
		require.NoError(t, err)
		for done := false; !done; { // batches that cut through an event's deliveries
			purge, err := store.PurgeOwner(t.Context(), gone.ID, 2)
			require.NoError(t, err)
			done = purge.Done
		}
		for _, id := range events {
			event, err := store.Event(t.Context(), everything, id)
			require.NoError(t, err)
			require.Equal(t, 1, event.DeliveryCount)
		}
		recovery := models.Recovery{
			WebhookID: webhook.ID, OwnerID: missing.ID, Since: since, Until: store.Now().Add(time.Second), Include: models.IncludeMissed, Rate: 1,
		}
		require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
		require.EqualValues(t, len(events), collect(t, store, recovery.ID).Total)
	})
}

func TestDefaultOwnerCannotBeDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		_, err := store.DeleteOwner(t.Context(), models.DefaultOwnerID)
		require.ErrorIs(t, err, models.ErrDefaultOwner)
		_, err = store.Owner(t.Context(), models.DefaultOwnerID)
		require.NoError(t, err)
	})
}
