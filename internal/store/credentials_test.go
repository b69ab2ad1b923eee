package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// credentialSecret is a text that must be found in credentials alone. All that is secret in them is this.
const credentialSecret = "a-secret-of-credentials"

func someCredentials() models.Credentials {
	return models.Credentials{
		Signatures: []models.FurtherSignature{{Header: "X-Own", Secret: credentialSecret}},
		Auth: &models.Auth{
			Basic: &models.BasicAuth{Username: credentialSecret, Password: credentialSecret}, Bearer: &models.BearerAuth{Token: credentialSecret},
			OAuth2: &models.OAuth2{TokenURL: "https://example.com/token", ClientID: "client", ClientSecret: credentialSecret},
		},
		TLS: &models.TLS{Key: credentialSecret},
	}
}

// Credentials are sealed, rotated with the encryption key, read back, and forgotten with the webhook and with its owner.
func TestCredentials(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		old := store.New(db, store.Config{Keyring: storetest.Keyring(t, 1)})
		owner := storetest.Owner(t, old, "acme")
		webhook := storetest.Webhook(t, old, func(w *models.Webhook) {
			w.OwnerID = owner.ID
			w.SetCredentials(someCredentials())
			w.PublicKeys = models.PublicKeys{{Key: "whpk_x"}}
		})
		require.Nil(t, webhook.Credentials)
		other := storetest.Webhook(t, old, func(w *models.Webhook) { w.SetCredentials(someCredentials()) })
		for column, content := range storetest.Dump(t, db) {
			require.NotContains(t, string(content), credentialSecret, column)
		}
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", someCredentials(), someCredentials(), webhook), credentialSecret)

		result, err := store.New(db, store.Config{Keyring: storetest.Keyring(t, 2, 1)}).RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.EncryptionRotation{Webhooks: 4}, result, "a secret and credentials of each")
		fresh := store.New(db, store.Config{Keyring: storetest.Keyring(t, 2)})
		read := func(id string) models.Credentials {
			stored, err := fresh.Webhook(t.Context(), everything, id)
			require.NoError(t, err)
			credentials, err := fresh.OpenCredentials(stored)
			require.NoError(t, err)
			return credentials
		}
		require.Equal(t, someCredentials(), read(webhook.ID))
		_, err = fresh.UpdateWebhook(t.Context(), everything, webhook.ID, func(w *models.Webhook) error {
			w.Description = "other"
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, someCredentials(), read(webhook.ID), "what is not changed stays")

		require.NoError(t, fresh.DeleteWebhook(t.Context(), everything, other.ID))
		_, err = fresh.DeleteOwner(t.Context(), owner.ID)
		require.NoError(t, err)
		var left int64
		require.NoError(t, db.Table("webhooks").Where("credentials IS NOT NULL OR public_keys <> ''").Count(&left).Error)
		require.Zero(t, left)
	})
}
