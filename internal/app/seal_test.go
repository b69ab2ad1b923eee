package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// A version stored headers and a verify token in clear. The migration seals them, also of what is deleted, and asks for
// the key only then.
func TestMigrateSealsWhatWasStoredInClear(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		database, key := "--database-url="+url, keyring.NewKey()
		store := storeOf(t, url, key)
		webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "https://example.com", Host: "example.com", Events: []string{"*"}, Active: true}
		require.NoError(t, store.CreateWebhook(t.Context(), &webhook, "whsec_"+keyring.NewKey()))
		newSource := func() models.Source {
			source := models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "meta", EventPrefix: "meta", Active: true}
			require.NoError(t, store.CreateSource(t.Context(), &source, []string{"provider's"}))
			return source
		}
		source, deleted := newSource(), newSource()
		require.NoError(t, store.DeleteSource(t.Context(), models.Scope{}, deleted.ID))
		db, pool, err := Database{DatabaseURL: url, DatabaseMaxConnections: 2}.open()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		headers := models.Headers{"Authorization": "Bearer confidential"}
		require.NoError(t, db.Exec("UPDATE webhooks SET headers = ?, sealed_headers = NULL WHERE id = ?", headers, webhook.ID).Error)
		require.NoError(t, db.Exec(`UPDATE sources SET options = '{"verify_token":"confidential"}'`).Error)
		inClear := func() (rows int64) {
			require.NoError(t, db.Raw(`SELECT (SELECT count(*) FROM webhooks WHERE headers LIKE '%confidential%') +
				(SELECT count(*) FROM sources WHERE options LIKE '%confidential%')`).Scan(&rows).Error)
			return rows
		}

		code, _, stderr := postriderLine(t, "migrate", database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "give --encryption-key ($POSTRIDER_ENCRYPTION_KEY)")
		require.EqualValues(t, 3, inClear())
		code, _, stderr = postriderLine(t, "migrate", database, "--encryption-key", "short")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "--encryption-key ($POSTRIDER_ENCRYPTION_KEY)")
		code, _, stderr = postriderLine(t, "migrate", database, "--encryption-key", key)
		require.Zero(t, code, stderr)
		require.Zero(t, inClear())

		sealed, err := store.Webhook(t.Context(), models.Scope{}, webhook.ID)
		require.NoError(t, err)
		opened, err := store.OpenHeaders(sealed)
		require.NoError(t, err)
		require.Equal(t, headers, opened)
		kept, err := store.Source(t.Context(), models.Scope{}, source.ID)
		require.NoError(t, err)
		token, err := store.SourceVerifyToken(kept)
		require.NoError(t, err)
		require.Equal(t, "confidential", token)
		require.Equal(t, source.UpdatedAt, kept.UpdatedAt.UTC(), "that is no change of its owner's")
		var left models.Source
		require.NoError(t, db.Where("id = ?", deleted.ID).Take(&left).Error)
		require.Empty(t, left.VerifyToken)

		code, _, stderr = postriderLine(t, "migrate", database)
		require.Zero(t, code, stderr, "nothing is left to seal")
	})
}
