package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// tookAttempt is longer than an attempt of attempted takes.
const tookAttempt = 20 * time.Millisecond

// failed makes deliveries of a webhook that failed for good, each after the one before.
func failed(t *testing.T, store *store.Store, clock *storetest.Clock, n int) []models.Delivery {
	t.Helper()
	deliveries := make([]models.Delivery, n)
	for i := range deliveries {
		deliveries[i] = storetest.Publish(t, store, models.Event{Type: "order.created", Data: []byte(`{}`)}).Deliveries[0]
		attempted(t, store, deliveries[i], 1, models.StatusPermanentlyFailed)
		clock.Advance(tookAttempt)
	}
	return deliveries
}

func idsOf(deliveries []models.Delivery) []string {
	ids := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.ID
	}
	return ids
}

// newRecovery stores a recovery of everything that was made until now.
func newRecovery(t *testing.T, store *store.Store, webhook models.Webhook, include models.Include) models.Recovery {
	t.Helper()
	recovery := models.Recovery{
		WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Since: store.Now().Add(-time.Hour), Until: store.Now(), Include: include, Rate: 10,
	}
	require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
	return recovery
}

func collect(t *testing.T, store *store.Store, id string) models.Recovery {
	t.Helper()
	recovery, err := store.CollectRecovery(t.Context(), id, 1000)
	require.NoError(t, err)
	require.True(t, recovery.Collected)
	return recovery
}

func claim(t *testing.T, store *store.Store, id string, limit int) ([]string, models.Recovery) {
	t.Helper()
	deliveries, recovery, err := store.ClaimRecovery(t.Context(), id, limit)
	require.NoError(t, err)
	return idsOf(deliveries), recovery
}

func finish(t *testing.T, store *store.Store, id string, deliveries []models.Delivery) models.Recovery {
	t.Helper()
	recovery, err := store.FinishRecoveryPage(t.Context(), id, deliveries)
	require.NoError(t, err)
	return recovery
}

func left(t *testing.T, db *gorm.DB) int64 {
	t.Helper()
	var rows int64
	require.NoError(t, db.Table("recovery_deliveries").Count(&rows).Error)
	return rows
}

func TestRecoveryGoesThroughItsDeliveriesInPages(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		deliveries := failed(t, store, clock, 5)
		recovery := newRecovery(t, store, webhook, models.IncludeFailed)
		require.Equal(t, models.RecoveryRunning, recovery.Status)
		found := collect(t, store, recovery.ID)
		require.EqualValues(t, 5, found.Total)

		page, now := claim(t, store, recovery.ID, 3)
		require.Equal(t, idsOf(deliveries[:3]), page)
		require.Zero(t, now.Resent)
		require.EqualValues(t, 3, finish(t, store, recovery.ID, deliveries[:3]).Resent)
		require.EqualValues(t, 3, finish(t, store, recovery.ID, deliveries[:3]).Resent, "finishing again counts nothing twice")
		page, _ = claim(t, store, recovery.ID, 3)
		require.Equal(t, idsOf(deliveries[3:]), page)
		finish(t, store, recovery.ID, deliveries[3:])
		clock.Advance(time.Second)
		page, now = claim(t, store, recovery.ID, 3)
		require.Empty(t, page)
		require.Equal(t, models.RecoveryCompleted, now.Status)
		require.EqualValues(t, 5, now.Resent)
		require.Equal(t, store.Now(), now.FinishedAt.UTC())
		require.Zero(t, left(t, db))

		stored, err := store.Recovery(t.Context(), everything, recovery.ID)
		require.NoError(t, err)
		require.Equal(t, now.Resent, stored.Resent)
		require.Equal(t, now.Status, stored.Status)
		again, err := store.SetRecoveryStatus(t.Context(), recovery.ID, models.RecoveryCancelled, "too late")
		require.NoError(t, err)
		require.Equal(t, models.RecoveryCompleted, again.Status, "an end is an end")
		require.Empty(t, again.Reason)
	})
}

func TestRecoveryCollectsInParts(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		failed(t, store, clock, 4)
		recovery := newRecovery(t, store, webhook, models.IncludeFailed)
		page, now := claim(t, store, recovery.ID, 2)
		require.Empty(t, page)
		require.Equal(t, models.RecoveryRunning, now.Status, "it is not complete before it is collected")
		for _, want := range []struct {
			total     int64
			collected bool
		}{{2, false}, {4, false}, {4, true}, {4, true}} {
			now, err := store.CollectRecovery(t.Context(), recovery.ID, 2)
			require.NoError(t, err)
			require.Equal(t, want.total, now.Total)
			require.Equal(t, want.collected, now.Collected)
			require.Equal(t, want.total, left(t, db))
		}
	})
}

// A process that dies in the middle of a page leaves it claimed. What was tried since is done; the rest is
// claimed again.
func TestRecoveryGoesOnWithAnInterruptedPage(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		deliveries := failed(t, store, clock, 4)
		recovery := newRecovery(t, store, webhook, models.IncludeFailed)
		collect(t, store, recovery.ID)
		claim(t, store, recovery.ID, 3)
		attempted(t, store, deliveries[0], 2, models.StatusPermanentlyFailed)
		attempted(t, store, deliveries[1], 2, models.StatusDelivered)
		page, now := claim(t, store, recovery.ID, 3)
		require.Equal(t, idsOf(deliveries[2:3]), page)
		require.EqualValues(t, 2, now.Resent)
		require.EqualValues(t, 3, finish(t, store, recovery.ID, deliveries[2:3]).Resent)

		page, _ = claim(t, store, recovery.ID, 3)
		require.Equal(t, idsOf(deliveries[3:]), page)
		attempted(t, store, deliveries[3], 2, models.StatusDelivered)
		page, now = claim(t, store, recovery.ID, 3)
		require.Empty(t, page)
		require.EqualValues(t, 4, now.Resent)
		require.Zero(t, now.Skipped)
		require.Equal(t, models.RecoveryCompleted, now.Status)
	})
}

func TestRecoverySkipsWhatNeedsNoResendAnyMore(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		deliveries := failed(t, store, clock, 6)
		recovery := newRecovery(t, store, webhook, models.IncludeFailed)
		collect(t, store, recovery.ID)
		attempted(t, store, deliveries[0], 2, models.StatusDelivered)
		attempted(t, store, deliveries[1], 2, models.StatusPermanentlyFailed) // resent by someone, in vain
		attempted(t, store, deliveries[2], 2, models.StatusFailed)            // resent by someone, and waiting
		require.NoError(t, db.Delete(&models.Delivery{}, "id = ?", deliveries[3].ID).Error)
		// Pages of which nothing is left are passed over at once.
		page, now := claim(t, store, recovery.ID, 2)
		require.Equal(t, idsOf(deliveries[4:]), page)
		require.EqualValues(t, 4, now.Skipped)
		require.Zero(t, now.Resent)
	})
}

func TestRecoveryHeedsItsWebhook(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		deliveries := failed(t, store, clock, 2)
		recovery := newRecovery(t, store, webhook, models.IncludeFailed)
		collect(t, store, recovery.ID)
		change := func(active bool, reason string) {
			_, err := store.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
				w.Active, w.DisabledReason = active, reason
				return nil
			})
			require.NoError(t, err)
		}
		for reason, want := range map[string]string{
			"":                               "the webhook is paused",
			"the receiver answered 410 Gone": "the webhook is disabled: the receiver answered 410 Gone",
		} {
			change(false, reason)
			page, now := claim(t, store, recovery.ID, 1)
			require.Empty(t, page)
			require.Equal(t, models.RecoveryPaused, now.Status)
			require.Equal(t, want, now.Reason)
			require.Nil(t, now.FinishedAt)
		}
		change(true, "")
		_, err := store.SetRecoveryStatus(t.Context(), recovery.ID, models.RecoveryRunning, "")
		require.NoError(t, err)
		page, now := claim(t, store, recovery.ID, 1)
		require.Equal(t, idsOf(deliveries[:1]), page)
		require.Equal(t, models.RecoveryRunning, now.Status)
		require.Empty(t, now.Reason)
		finish(t, store, recovery.ID, deliveries[:1])

		require.NoError(t, store.DeleteWebhook(t.Context(), everything, webhook.ID))
		page, now = claim(t, store, recovery.ID, 1)
		require.Empty(t, page)
		require.Equal(t, models.RecoveryCancelled, now.Status)
		require.Equal(t, "the webhook was deleted", now.Reason)
		require.EqualValues(t, 1, now.Resent)
		require.NotNil(t, now.FinishedAt)
		require.Zero(t, left(t, db))
	})
}

func TestAWebhookHasOneRecoveryAtATime(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		first := newRecovery(t, store, webhook, models.IncludeFailed)
		newRecovery(t, store, makeWebhook(t, store, models.DefaultOwnerID, "*"), models.IncludeFailed)
		second := models.Recovery{WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Include: models.IncludeAll, Rate: 1}
		for _, status := range []models.RecoveryStatus{models.RecoveryRunning, models.RecoveryPaused} {
			_, err := store.SetRecoveryStatus(t.Context(), first.ID, status, "")
			require.NoError(t, err)
			var active *models.RecoveryActiveError
			require.ErrorAs(t, store.CreateRecovery(t.Context(), &second), &active)
			require.Equal(t, first.ID, active.ID)
		}
		_, err := store.SetRecoveryStatus(t.Context(), first.ID, models.RecoveryCancelled, "")
		require.NoError(t, err)
		require.NoError(t, store.CreateRecovery(t.Context(), &second))
	})
}

func TestRecoveriesAreListedForTheirOwner(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner := storetest.Owner(t, store, "acme")
		mine, theirs := makeWebhook(t, store, owner.ID, "*"), makeWebhook(t, store, models.DefaultOwnerID, "*")
		clock.Advance(time.Millisecond)
		first := newRecovery(t, store, mine, models.IncludeFailed)
		_, err := store.SetRecoveryStatus(t.Context(), first.ID, models.RecoveryCancelled, "")
		require.NoError(t, err)
		clock.Advance(time.Millisecond)
		second := newRecovery(t, store, mine, models.IncludeFailed)
		clock.Advance(time.Millisecond)
		third := newRecovery(t, store, theirs, models.IncludeFailed)
		list := func(scope models.Scope, filter models.RecoveryFilter) []string {
			found, _, err := store.Recoveries(t.Context(), scope, filter, models.Page{})
			require.NoError(t, err)
			ids := make([]string, len(found))
			for i, recovery := range found {
				ids[i] = recovery.ID
			}
			return ids
		}
		require.Equal(t, []string{third.ID, second.ID, first.ID}, list(everything, models.RecoveryFilter{}))
		require.Equal(t, []string{second.ID, first.ID}, list(models.Scope{OwnerID: owner.ID}, models.RecoveryFilter{}))
		require.Equal(t, []string{third.ID}, list(everything, models.RecoveryFilter{WebhookIDs: []string{theirs.ID}}))
		require.Equal(t, []string{first.ID}, list(everything, models.RecoveryFilter{Statuses: []models.RecoveryStatus{models.RecoveryCancelled}}))
		_, err = store.Recovery(t.Context(), models.Scope{OwnerID: owner.ID}, third.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		_, err = store.CollectRecovery(t.Context(), typeid.New(typeid.KindRecovery, store.Now()), 1)
		require.ErrorIs(t, err, models.ErrNotFound)

		// The sweep looks for those that have not begun.
		collect(t, store, third.ID)
		unstarted, err := store.UnstartedRecoveries(t.Context(), third.CreatedAt, 10)
		require.NoError(t, err)
		require.Len(t, unstarted, 1)
		require.Equal(t, second.ID, unstarted[0].ID)
		unstarted, err = store.UnstartedRecoveries(t.Context(), second.CreatedAt.Add(-time.Millisecond), 10)
		require.NoError(t, err)
		require.Empty(t, unstarted)
	})
}

// Requests are in order whatever the clocks of the processes say that they come through.
func TestTouchRecovery(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		recovery := models.Recovery{WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Since: clock.Now(), Until: clock.Now(), Rate: 1}
		require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
		last := recovery.UpdatedAt
		for _, step := range []time.Duration{0, time.Second, -time.Minute, 0, -time.Hour, time.Microsecond, 2 * time.Hour} {
			clock.Advance(step)
			touched, err := store.TouchRecovery(t.Context(), recovery.ID)
			require.NoError(t, err)
			require.Equal(t, models.RecoveryRunning, touched.Status)
			require.True(t, touched.UpdatedAt.After(last), step)
			stored, err := store.Recovery(t.Context(), everything, recovery.ID)
			require.NoError(t, err)
			require.True(t, stored.UpdatedAt.Equal(touched.UpdatedAt))
			last = touched.UpdatedAt
		}
		ended, err := store.SetRecoveryStatus(t.Context(), recovery.ID, models.RecoveryCancelled, "")
		require.NoError(t, err)
		touched, err := store.TouchRecovery(t.Context(), recovery.ID)
		require.NoError(t, err)
		require.Equal(t, models.RecoveryCancelled, touched.Status)
		require.True(t, touched.UpdatedAt.Equal(ended.UpdatedAt))
		_, err = store.TouchRecovery(t.Context(), typeid.New(typeid.KindRecovery, clock.Now()))
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}
