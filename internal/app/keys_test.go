package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

var errWrongSecret = errors.New("a secret is not the one that was set")

// storeOf opens a database with encryption keys, as a process does.
func storeOf(t *testing.T, url string, encryptionKeys ...string) *store.Store {
	t.Helper()
	keyring, err := Encryption{EncryptionKey: encryptionKeys}.keyring()
	require.NoError(t, err)
	store, err := Database{DatabaseURL: url, DatabaseMaxConnections: 5}.store(t.Context(), store.Config{Keyring: keyring})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func TestKeysThatExpire(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		database := "--database-url=" + url
		code, token, stderr := postriderLine(t, "keys", "create", "--admin", "--expires-in", "720h", database)
		require.Zero(t, code, stderr)
		key, err := storeOf(t, url, keyring.NewKey()).APIKeyByHash(t.Context(), models.HashAPIKey(strings.TrimSpace(token)))
		require.NoError(t, err)
		require.Equal(t, 720*time.Hour, key.ExpiresAt.Sub(key.CreatedAt).Round(time.Minute))
		_, list, _ := postriderLine(t, "keys", "list", database)
		require.Regexp(t, `ID +KEY +OWNER +ROLE +CREATED +EXPIRES +LAST USED`, list)
		require.Regexp(t, key.ID+` .*`+key.ExpiresAt.UTC().Format(time.RFC3339)+` +never\n`, list)

		code, token, stderr = postriderLine(t, "keys", "create", "--admin", "--role", "read", database)
		require.Zero(t, code, stderr)
		key, err = storeOf(t, url, keyring.NewKey()).APIKeyByHash(t.Context(), models.HashAPIKey(strings.TrimSpace(token)))
		require.NoError(t, err)
		require.Equal(t, models.RoleRead, key.Role)
		code, _, stderr = postriderLine(t, "keys", "create", "--owner", "nobody", database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "there is no owner nobody")

		code, _, stderr = postriderLine(t, "keys", "create", "--admin", "--expires-in=-1h", database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "--expires-in must be a duration such as 720h")
	})
}

func TestLastAdminKeyIsRevokedOnlyBesideAConfiguredOne(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		database := "--database-url=" + url
		code, token, stderr := postriderLine(t, "keys", "create", "--admin", database)
		require.Zero(t, code, stderr)
		key, err := storeOf(t, url, keyring.NewKey()).APIKeyByHash(t.Context(), models.HashAPIKey(strings.TrimSpace(token)))
		require.NoError(t, err)

		code, _, stderr = postriderLine(t, "keys", "revoke", key.ID, database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "make another first with `keys create --admin`")
		code, _, stderr = postriderLine(t, "keys", "revoke", key.ID, "--admin-key", "0123456789abcdef", database)
		require.Zero(t, code, stderr)
	})
}

// The three steps of SECURITY.md: while one store goes on signing and rotating, the command seals everything
// anew, and then the old key is not needed any more.
func TestRotateEncryption(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		database := "--database-url=" + url
		old, fresh := keyring.NewKey(), keyring.NewKey()
		before := storeOf(t, url, old)
		secrets := map[string]string{}
		for range 150 {
			webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "https://example.com", Host: "example.com", Events: []string{"*"}, Active: true}
			secret := "whsec_" + keyring.NewKey()
			require.NoError(t, before.CreateWebhook(t.Context(), &webhook, secret))
			secrets[webhook.ID] = secret
		}
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
		require.NoError(t, before.CreateSource(t.Context(), &source, []string{"provider's"}))

		serving := storeOf(t, url, fresh, old)
		ctx, stop := context.WithCancel(t.Context())
		signing := make(chan struct{})
		signed := make(chan error, 1)
		go func() {
			signed <- signAndRotate(ctx, serving, secrets, signing)
		}()
		<-signing
		code, out, stderr := postriderLine(t, "keys", "rotate-encryption", database, "--encryption-key", fresh+","+old)
		require.Zero(t, code, stderr)
		require.Contains(t, out, " of webhooks, 1 of sources")
		require.Contains(t, out, "no other key is needed any more")
		stop()
		require.NoError(t, <-signed)

		after := storeOf(t, url, fresh)
		require.NoError(t, verify(t.Context(), after, secrets))
		source, err := after.Source(t.Context(), models.Scope{}, source.ID)
		require.NoError(t, err)
		got, err := after.SourceSecrets(source)
		require.NoError(t, err)
		require.Equal(t, []string{"provider's"}, got)

		code, out, stderr = postriderLine(t, "keys", "rotate-encryption", database, "--encryption-key", fresh)
		require.Zero(t, code, stderr)
		require.Contains(t, out, "secrets sealed under the first key: 0 of webhooks, 0 of sources")
	})
}

// signAndRotate signs with the secrets of all webhooks and gives one of them a new one, round after round,
// until the context ends. It says when the first round is over.
func signAndRotate(ctx context.Context, store *store.Store, secrets map[string]string, signing chan<- struct{}) error {
	first := true
	defer func() {
		if first {
			close(signing)
		}
	}()
	for ctx.Err() == nil {
		if err := verify(context.WithoutCancel(ctx), store, secrets); err != nil {
			return err
		}
		for id := range secrets {
			secret := "whsec_" + keyring.NewKey()
			if _, err := store.RotateSecret(context.WithoutCancel(ctx), models.Scope{}, id, models.Rotation{Secret: secret, Grace: time.Hour}); err != nil {
				return err
			}
			secrets[id] = secret
			break
		}
		if first {
			close(signing)
			first = false
		}
	}
	return nil
}

// verify opens every secret and compares it.
func verify(ctx context.Context, store *store.Store, secrets map[string]string) error {
	for id, want := range secrets {
		webhook, err := store.Webhook(ctx, models.Scope{}, id)
		if err != nil {
			return err
		}
		got, err := store.SigningSecrets(webhook, store.Now())
		if err != nil {
			return err
		}
		if got[0] != want {
			return errWrongSecret
		}
	}
	return nil
}

func TestRotateEncryptionSaysWhatItCannotOpen(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		database := "--database-url=" + url
		lost := keyring.NewKey()
		webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "https://example.com", Host: "example.com", Events: []string{"*"}, Active: true}
		require.NoError(t, storeOf(t, url, lost).CreateWebhook(t.Context(), &webhook, "whsec_"+keyring.NewKey()))
		code, _, stderr := postriderLine(t, "keys", "rotate-encryption", database, "--encryption-key", keyring.NewKey())
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "no key that was given opens the secrets of "+webhook.ID)
		require.NotContains(t, stderr, lost)

		code, _, stderr = postriderLine(t, "keys", "rotate-encryption", database)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "--encryption-key ($POSTRIDER_ENCRYPTION_KEY) is missing")
	})
}

func TestBadLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ flag, says string }{
		{"--rate-limit=-1", "--rate-limit ($POSTRIDER_RATE_LIMIT) must be"},
		{"--rate-limit=NaN", "--rate-limit ($POSTRIDER_RATE_LIMIT) must be"},
		{"--rate-burst=-1", "--rate-burst ($POSTRIDER_RATE_BURST) must be"},
		{"--trusted-proxies=10.0.0.1", "--trusted-proxies"},
	} {
		code, _, stderr := postriderLine(t, "serve", test.flag)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, test.says)
	}
}
