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

const otherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDAAAAAAAAAAA="

func TestRotateEncryptionPutsEverySecretUnderTheFirstKey(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		with := func(numbers ...byte) *store.Store {
			return store.New(db, store.Config{Keyring: storetest.Keyring(t, numbers...)})
		}
		old := with(1)
		var webhooks []models.Webhook
		for range 250 { // more than two batches
			webhooks = append(webhooks, makeWebhook(t, old, models.DefaultOwnerID, "a"))
		}
		rotated := rotate(t, old, &webhooks[0], time.Hour)
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
		require.NoError(t, old.CreateSource(t.Context(), &source, []string{"one", "two"}))
		deleted := makeWebhook(t, old, models.DefaultOwnerID, "a")
		require.NoError(t, old.DeleteWebhook(t.Context(), everything, deleted.ID))

		both := with(2, 1)
		makeWebhook(t, both, models.DefaultOwnerID, "a")
		result, err := both.RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.EncryptionRotation{Webhooks: 251, Headers: 250, Sources: 1}, result)
		result, err = both.RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.EncryptionRotation{}, result, "again, there is nothing to do")

		fresh := with(2)
		for i, webhook := range webhooks {
			webhook, err := fresh.Webhook(t.Context(), everything, webhook.ID)
			require.NoError(t, err)
			want := []string{storetest.Secret}
			if i == 0 {
				want = []string{rotated, storetest.Secret}
			}
			secrets, err := fresh.SigningSecrets(webhook, fresh.Now())
			require.NoError(t, err)
			require.Equal(t, want, secrets)
		}
		source, err = fresh.Source(t.Context(), everything, source.ID)
		require.NoError(t, err)
		secrets, err := fresh.SourceSecrets(source)
		require.NoError(t, err)
		require.Equal(t, []string{"one", "two"}, secrets)
	})
}

func TestRotateEncryptionLeavesWhatItCannotRead(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		with := func(numbers ...byte) *store.Store {
			return store.New(db, store.Config{Keyring: storetest.Keyring(t, numbers...)})
		}
		lost := makeWebhook(t, with(3), models.DefaultOwnerID, "a")
		makeWebhook(t, with(1), models.DefaultOwnerID, "a")
		result, err := with(2, 1).RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.EncryptionRotation{Webhooks: 1, Headers: 1, Left: 2, Unreadable: []string{lost.ID}}, result)

		result, err = with(2, 3).RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.EncryptionRotation{Webhooks: 1, Headers: 1}, result, "with its key it can be read")
	})
}

// A webhook's secret is rotated between RotateEncryption's look at it and its write, which must not undo that.
func TestRotateEncryptionDuringARotation(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		webhook := makeWebhook(t, store.New(db, store.Config{Keyring: storetest.Keyring(t, 1)}), models.DefaultOwnerID, "a")
		both := store.New(db, store.Config{Keyring: storetest.Keyring(t, 2, 1)})
		rotated := false
		require.NoError(t, db.Callback().Update().Before("gorm:update").Register("meanwhile", func(*gorm.DB) {
			if !rotated {
				rotated = true
				_, err := both.RotateSecret(t.Context(), everything, webhook.ID, models.Rotation{Secret: otherSecret, Grace: time.Hour})
				require.NoError(t, err)
			}
		}))
		result, err := both.RotateEncryption(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.EncryptionRotation{Headers: 1}, result, "the rotation has sealed what was left")

		fresh := store.New(db, store.Config{Keyring: storetest.Keyring(t, 2)})
		webhook, err = fresh.Webhook(t.Context(), everything, webhook.ID)
		require.NoError(t, err)
		secrets, err := fresh.SigningSecrets(webhook, fresh.Now())
		require.NoError(t, err)
		require.Equal(t, []string{otherSecret, storetest.Secret}, secrets)
	})
}
