package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// valued makes a webhook with a header, and a URL, that tell a secret.
func valued(t *testing.T, store *store.Store) models.Webhook {
	t.Helper()
	webhook := models.Webhook{
		OwnerID: models.DefaultOwnerID, URL: "https://user:pass@example.com:8443/services/a-token?key=another", Host: "example.com:8443",
		Events: []string{"a"}, Headers: models.Headers{"Authorization": "Bearer a-third", "X-Empty": ""}, Active: true,
	}
	require.NoError(t, store.CreateWebhook(t.Context(), &webhook, storetest.Secret))
	return webhook
}

func TestHeadersAreSealed(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		values := models.Headers{"Authorization": "Bearer a-third", "X-Empty": ""}
		made := valued(t, store)
		stored, err := store.Webhook(t.Context(), everything, made.ID)
		require.NoError(t, err)
		delivery := storetest.Publish(t, store, models.Event{Type: "a", Data: []byte(`{}`)}).Deliveries[0]
		job, err := store.Job(t.Context(), delivery.ID, "att_none")
		require.NoError(t, err)
		for _, webhook := range []models.Webhook{made, stored, job.Webhook} {
			require.Equal(t, models.Headers{"Authorization": "", "X-Empty": ""}, webhook.Headers, "names alone")
			opened, err := store.OpenHeaders(webhook)
			require.NoError(t, err)
			require.Equal(t, values, opened)
		}

		// A change of something else keeps them.
		changed, err := store.UpdateWebhook(t.Context(), everything, made.ID, func(w *models.Webhook) error { w.Description = "x"; return nil })
		require.NoError(t, err)
		opened, err := store.OpenHeaders(changed)
		require.NoError(t, err)
		require.Equal(t, values, opened)

		moved := valued(t, store)
		moved.SealedHeaders = made.SealedHeaders
		_, err = store.OpenHeaders(moved)
		require.ErrorIs(t, err, keyring.ErrDecrypt, "headers that were moved to another row")
	})
}

// A version wrote webhooks that sealed no headers: they are read, and sealed when somebody gets to it.
func TestHeadersFromBeforeTheyWereSealed(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		values := models.Headers{"Authorization": "Bearer a-third"}
		var ids []string
		for range 3 {
			webhook := valued(t, store)
			ids = append(ids, webhook.ID)
			require.NoError(t, db.Exec(`UPDATE webhooks SET headers = ?, sealed_headers = NULL WHERE id = ?`, values, webhook.ID).Error)
		}
		requireValues := func() {
			t.Helper()
			for _, id := range ids {
				webhook, err := store.Webhook(t.Context(), everything, id)
				require.NoError(t, err)
				opened, err := store.OpenHeaders(webhook)
				require.NoError(t, err)
				require.Equal(t, values, opened)
			}
		}
		requireValues()
		_, err := store.UpdateWebhook(t.Context(), everything, ids[0], func(w *models.Webhook) error { w.Description = "x"; return nil })
		require.NoError(t, err)
		requireValues()
		sealed, err := store.SealClear(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, sealed, "the change of a webhook seals its headers too")
		require.NotContains(t, string(storetest.Dump(t, db)["webhooks.headers"]), "a-third")
		requireValues()
		sealed, err = store.SealClear(t.Context())
		require.NoError(t, err)
		require.Zero(t, sealed)
	})
}

// Of a deleted webhook, the log needs the host; credentials may be anywhere else.
func TestDeletedWebhookKeepsNoCredentials(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, _ := clockedStore(t, db)
		webhook := valued(t, store)
		require.NoError(t, store.DeleteWebhook(t.Context(), everything, webhook.ID))
		contents := storetest.Dump(t, db)
		require.Equal(t, "https://example.com:8443\n", string(contents["webhooks.url"]))
		require.Equal(t, "example.com:8443\n", string(contents["webhooks.host"]))
		require.Equal(t, "{}\n", string(contents["webhooks.headers"]))
		var left models.Webhook
		require.NoError(t, db.Where("id = ?", webhook.ID).Take(&left).Error)
		require.Empty(t, left.Secret)
		require.Nil(t, left.SealedHeaders)
		require.Nil(t, left.PreviousSecret)
		require.Nil(t, left.EarlierSecrets)
	})
}
