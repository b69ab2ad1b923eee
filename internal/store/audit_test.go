package store_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// trail lists all entries with an action, newest first.
func trail(t *testing.T, store *store.Store, action string) []models.AuditEntry {
	t.Helper()
	entries, _, err := store.Audit(t.Context(), everything, models.AuditFilter{Actions: []string{action}}, models.Page{Limit: models.MaxLimit})
	require.NoError(t, err)
	return entries
}

// Whose thing it was is looked up, also when that is gone from the API.
func TestAuditKnowsWhoseItWas(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		webhook := makeWebhook(t, store, owner.ID, "*")
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`), OwnerID: owner.ID}).Deliveries[0]
		key, _, err := store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
		require.NoError(t, err)
		require.NoError(t, store.DeleteWebhook(t.Context(), everything, webhook.ID))
		require.NoError(t, store.RevokeAPIKey(t.Context(), key.ID))
		for _, id := range []string{owner.ID, webhook.ID, delivery.ID, delivery.EventID, key.ID} {
			require.NoError(t, store.RecordAudit(t.Context(), &models.AuditEntry{Action: "x", ObjectID: id}))
			entry := trail(t, store, "x")[0]
			require.Equal(t, []any{owner.ID, id, int64(1), []string{}}, []any{entry.OwnerID, entry.ObjectID, entry.Count, entry.Fields})
		}
		for _, id := range []string{"", typeid.New(typeid.KindWebhook, store.Now()), "no ID"} {
			require.NoError(t, store.RecordAudit(t.Context(), &models.AuditEntry{Action: "y", ObjectID: id}))
			require.Empty(t, trail(t, store, "y")[0].OwnerID)
		}
	})
}

func TestPurgeAudit(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		require.NoError(t, store.RecordAudit(t.Context(), &models.AuditEntry{Action: "x"}))
		clock.Advance(month - time.Second)
		deleted, _ := purge(t, store, models.PurgeAudit)
		require.Zero(t, deleted)
		require.NoError(t, store.RecordAudit(t.Context(), &models.AuditEntry{Action: "x"}))
		clock.Advance(2 * time.Second)
		deleted, _ = purge(t, store, models.PurgeAudit)
		require.EqualValues(t, 1, deleted)
		require.Len(t, trail(t, store, "x"), 1)
	})
}

// An attacker who tries keys cannot fill the trail: an address is one entry a minute, and all addresses together are few.
func TestFailedSignInsAreBounded(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		var log bytes.Buffer
		deferred := store.NewDeferredWrites(s, slog.New(slog.NewTextHandler(&log, nil)))
		fail := func(address string, times int) {
			for range times {
				require.NoError(t, deferred.RecordFailedSignIn(t.Context(), address))
			}
			require.NoError(t, deferred.Flush(t.Context()))
		}
		counts := func() map[string]int64 {
			sums := map[string]int64{}
			for _, entry := range trail(t, s, models.ActionSignInFailed) {
				sums[entry.Address] += entry.Count
			}
			return sums
		}
		fail("192.0.2.1", 3) // at once
		require.Equal(t, map[string]int64{"192.0.2.1": 3}, counts())
		for range 59 {
			clock.Advance(time.Second)
			fail("192.0.2.1", 100)
		}
		require.Len(t, trail(t, s, models.ActionSignInFailed), 1)
		clock.Advance(time.Second)
		fail("192.0.2.1", 0)
		require.Len(t, trail(t, s, models.ActionSignInFailed), 2)
		require.Equal(t, map[string]int64{"192.0.2.1": 5903}, counts())

		clock.Advance(time.Hour)
		fail("192.0.2.1", 0) // is forgotten
		for n := range 1000 {
			fail(fmt.Sprintf("198.51.100.%d", n), 1)
		}
		clock.Advance(time.Minute)
		fail("192.0.2.9", 0)
		require.Len(t, trail(t, s, models.ActionSignInFailed), 2+20+2)
		require.EqualValues(t, 980, counts()[""], "those of the other addresses are counted")
		require.Contains(t, log.String(), "address=192.0.2.1 count=5900")
	})
}
