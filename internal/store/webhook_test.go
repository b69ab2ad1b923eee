package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

var everything = models.Scope{}

func TestWebhookIsReadAsItWasCreated(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner := storetest.Owner(t, store, "acme")
		for name, schedule := range map[string]models.RetrySchedule{
			"the installation's": nil,
			"no retries":         {},
			"its own":            {time.Minute, 90 * time.Second},
		} {
			webhook := models.Webhook{
				OwnerID: owner.ID, URL: "https://example.com:8443/hook?a=1", Host: "example.com:8443",
				Description: "Ünïcode\n\"quoted\"", Events: []string{"order.*", "user.created"},
				Headers: models.Headers{"X-Team": "a", "Authorization": "Bearer x"}, Active: true,
				RetrySchedule: schedule,
			}
			require.NoError(t, store.CreateWebhook(t.Context(), &webhook, storetest.Secret), name)
			require.NoError(t, typeid.Check(typeid.KindWebhook, webhook.ID))
			require.Equal(t, clock.Now(), webhook.CreatedAt)

			got, err := store.Webhook(t.Context(), everything, webhook.ID)
			require.NoError(t, err, name)
			require.True(t, clock.Now().Equal(got.CreatedAt), got.CreatedAt)
			require.True(t, clock.Now().Equal(got.UpdatedAt), got.UpdatedAt)
			got.CreatedAt, got.UpdatedAt = webhook.CreatedAt, webhook.UpdatedAt
			require.Equal(t, webhook, got, name)
		}
	})
}

func TestWebhookOfAnUnknownOwner(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		webhook := models.Webhook{
			OwnerID: typeid.New(typeid.KindOwner, store.Now()), URL: "https://example.com", Events: []string{"*"}, Active: true,
		}
		require.ErrorIs(t, store.CreateWebhook(t.Context(), &webhook, storetest.Secret), models.ErrNotFound)
		require.Empty(t, webhookIDs(t, store, everything, models.WebhookFilter{}))
	})
}

func TestUpdateWebhook(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		made := makeWebhook(t, store, models.DefaultOwnerID, "order.*")
		clock.Advance(time.Hour)
		updated, err := store.UpdateWebhook(t.Context(), everything, made.ID, func(w *models.Webhook) error {
			require.Equal(t, made.URL, w.URL)
			w.URL, w.Host = "https://example.org/", "example.org"
			w.Description = "moved"
			w.Events = []string{"user.*", "order.paid"}
			w.SetHeaders(nil)
			w.RetrySchedule = models.RetrySchedule{time.Second}
			w.Active, w.DisabledReason = false, "because"
			return nil
		})
		require.NoError(t, err)
		require.True(t, clock.Now().Equal(updated.UpdatedAt))

		got, err := store.Webhook(t.Context(), everything, made.ID)
		require.NoError(t, err)
		require.Equal(t, "https://example.org/", got.URL)
		require.Equal(t, "example.org", got.Host)
		require.Equal(t, "moved", got.Description)
		require.Equal(t, []string{"user.*", "order.paid"}, got.Events)
		require.Empty(t, got.Headers)
		require.Equal(t, models.RetrySchedule{time.Second}, got.RetrySchedule)
		require.False(t, got.Active)
		require.Equal(t, "because", got.DisabledReason)
		require.Equal(t, made.Secret, got.Secret)
		require.True(t, made.CreatedAt.Equal(got.CreatedAt))
		require.True(t, clock.Now().Equal(got.UpdatedAt))

		// The patterns that are matched follow, and a schedule can be taken back.
		_, err = store.UpdateWebhook(t.Context(), everything, made.ID, func(w *models.Webhook) error {
			w.Active, w.RetrySchedule = true, nil
			return nil
		})
		require.NoError(t, err)
		require.Empty(t, storetest.Publish(t, store, models.Event{Type: "order.created", Data: []byte(`{}`)}).Deliveries)
		require.Len(t, storetest.Publish(t, store, models.Event{Type: "order.paid", Data: []byte(`{}`)}).Deliveries, 1)
		got, err = store.Webhook(t.Context(), everything, made.ID)
		require.NoError(t, err)
		require.Nil(t, got.RetrySchedule)
	})
}

func TestUpdateWebhookThatFailsChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		made := makeWebhook(t, store, models.DefaultOwnerID, "order.*")
		wrong := errors.New("wrong field")
		_, err := store.UpdateWebhook(t.Context(), everything, made.ID, func(w *models.Webhook) error {
			w.URL = "https://elsewhere.example/"
			return wrong
		})
		require.Equal(t, wrong, err, "unchanged")
		got, err := store.Webhook(t.Context(), everything, made.ID)
		require.NoError(t, err)
		require.Equal(t, made.URL, got.URL)

		_, err = store.UpdateWebhook(t.Context(), everything, typeid.New(typeid.KindWebhook, store.Now()),
			func(*models.Webhook) error { t.Error("called without a webhook"); return nil })
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

// Every change reads what the one before it wrote: none is lost.
func TestUpdateWebhookAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		made := makeWebhook(t, store, models.DefaultOwnerID, "order.*")
		const writers = 10
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				_, err := store.UpdateWebhook(t.Context(), everything, made.ID, func(w *models.Webhook) error {
					w.Description += "x"
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got, err := store.Webhook(t.Context(), everything, made.ID)
		require.NoError(t, err)
		require.Len(t, got.Description, writers)
	})
}

func TestDeletedWebhookIsHiddenAndItsSecretsAreGone(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		made := makeWebhook(t, store, models.DefaultOwnerID, "order.*")
		rotate(t, store, &made, time.Hour)
		delivery := storetest.Publish(t, store, models.Event{Type: "order.paid", Data: []byte(`{}`)}).Deliveries[0]
		require.NoError(t, store.DeleteWebhook(t.Context(), everything, made.ID))

		_, err := store.Webhook(t.Context(), everything, made.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Empty(t, webhookIDs(t, store, everything, models.WebhookFilter{}))
		_, err = store.UpdateWebhook(t.Context(), everything, made.ID, func(*models.Webhook) error { return nil })
		require.ErrorIs(t, err, models.ErrNotFound)
		require.ErrorIs(t, store.DeleteWebhook(t.Context(), everything, made.ID), models.ErrNotFound)
		_, err = store.RotateSecret(t.Context(), everything, made.ID, models.Rotation{Secret: "whsec_x", Grace: time.Hour})
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Empty(t, storetest.Publish(t, store, models.Event{Type: "order.paid", Data: []byte(`{}`)}).Deliveries)

		// What waits for it still finds the row, which holds no secret any more.
		job, err := store.Job(t.Context(), delivery.ID, "att_none")
		require.NoError(t, err)
		require.NotNil(t, job.Webhook.DeletedAt)
		require.False(t, job.Webhook.Active)
		require.Empty(t, job.Webhook.Secret)
		require.Nil(t, job.Webhook.PreviousSecret)
		require.Nil(t, job.Webhook.PreviousSecretUntil)
		_, err = store.SigningSecrets(job.Webhook, store.Now())
		require.ErrorIs(t, err, keyring.ErrDecrypt)
		var patterns int64
		require.NoError(t, db.Table("webhook_patterns").Count(&patterns).Error)
		require.Zero(t, patterns)
	})
}

func TestWebhooksOfAnotherOwnerCannotBeTouched(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		mine, theirs := storetest.Owner(t, store, "mine"), storetest.Owner(t, store, "theirs")
		webhook := makeWebhook(t, store, theirs.ID, "*")
		own := makeWebhook(t, store, mine.ID, "*")
		scope := models.Scope{OwnerID: mine.ID}

		_, err := store.Webhook(t.Context(), scope, webhook.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
		_, err = store.UpdateWebhook(t.Context(), scope, webhook.ID, func(w *models.Webhook) error {
			t.Error("called with another owner's webhook")
			return nil
		})
		require.ErrorIs(t, err, models.ErrNotFound)
		require.ErrorIs(t, store.DeleteWebhook(t.Context(), scope, webhook.ID), models.ErrNotFound)
		_, err = store.RotateSecret(t.Context(), scope, webhook.ID, models.Rotation{Secret: "whsec_x", Grace: time.Hour})
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Equal(t, []string{own.ID}, webhookIDs(t, store, scope, models.WebhookFilter{}))
		require.Empty(t, webhookIDs(t, store, scope, models.WebhookFilter{OwnerIDs: []string{theirs.ID}}))

		got, err := store.Webhook(t.Context(), models.Scope{OwnerID: theirs.ID}, webhook.ID)
		require.NoError(t, err)
		require.Equal(t, webhook.UpdatedAt.UTC(), got.UpdatedAt.UTC())
	})
}

func TestWebhooksAreFiltered(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		a, b := storetest.Owner(t, store, "a"), storetest.Owner(t, store, "b")
		first := makeWebhook(t, store, a.ID, "*")
		clock.Advance(time.Millisecond)
		second := makeWebhook(t, store, b.ID, "*")
		clock.Advance(time.Millisecond)
		paused := makeWebhook(t, store, a.ID, "*")
		_, err := store.UpdateWebhook(t.Context(), everything, paused.ID, func(w *models.Webhook) error {
			w.Active = false
			return nil
		})
		require.NoError(t, err)
		yes, no := true, false
		for name, test := range map[string]struct {
			filter models.WebhookFilter
			want   []string
		}{
			"all, newest first": {models.WebhookFilter{}, []string{paused.ID, second.ID, first.ID}},
			"owner":             {models.WebhookFilter{OwnerIDs: []string{a.ID}}, []string{paused.ID, first.ID}},
			"active":            {models.WebhookFilter{Active: &yes}, []string{second.ID, first.ID}},
			"inactive":          {models.WebhookFilter{Active: &no}, []string{paused.ID}},
			"owner and active":  {models.WebhookFilter{OwnerIDs: []string{b.ID}, Active: &no}, nil},
		} {
			require.Equal(t, test.want, webhookIDs(t, store, everything, test.filter), name)
		}
	})
}

func TestSigningSecrets(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		secrets, err := store.SigningSecrets(webhook, clock.Now())
		require.NoError(t, err)
		require.Equal(t, []string{storetest.Secret}, secrets)

		current := rotate(t, store, &webhook, time.Hour)
		for name, test := range map[string]struct {
			after time.Duration
			want  []string
		}{
			"at once":           {0, []string{current, storetest.Secret}},
			"in the grace":      {time.Hour - time.Millisecond, []string{current, storetest.Secret}},
			"as the grace ends": {time.Hour, []string{current}},
			"afterwards":        {48 * time.Hour, []string{current}},
		} {
			got, err := store.SigningSecrets(webhook, clock.Now().Add(test.after))
			require.NoError(t, err, name)
			require.Equal(t, test.want, got, name)
		}

		last := rotate(t, store, &webhook, 0)
		got, err := store.SigningSecrets(webhook, clock.Now())
		require.NoError(t, err)
		require.Equal(t, []string{last, storetest.Secret}, got, "no grace for the one, and that of the other goes on")

		other := makeWebhook(t, store, models.DefaultOwnerID, "*")
		webhook.ID = other.ID
		_, err = store.SigningSecrets(webhook, clock.Now())
		require.ErrorIs(t, err, keyring.ErrDecrypt, "a secret that was moved to another row")
	})
}

func webhookIDs(t *testing.T, store *store.Store, scope models.Scope, filter models.WebhookFilter) []string {
	t.Helper()
	webhooks, next, err := store.Webhooks(t.Context(), scope, filter, models.Page{})
	require.NoError(t, err)
	require.Empty(t, next)
	var ids []string
	for _, webhook := range webhooks {
		ids = append(ids, webhook.ID)
	}
	return ids
}
