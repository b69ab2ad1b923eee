package store_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Someone who gets hold of the database, but not of the encryption key, learns no secret and no key from it.
func TestNoSecretIsStoredInClear(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		store, _ := clockedStore(t, db)
		webhook := makeWebhook(t, store, models.DefaultOwnerID, "*")
		rotated := rotate(t, store, &webhook, time.Hour)
		source := models.Source{OwnerID: models.DefaultOwnerID, Name: "in", Scheme: "github", EventPrefix: "github", Active: true}
		require.NoError(t, store.CreateSource(t.Context(), &source, []string{"a-secret-of-a-provider"}))
		apiKey, token, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)

		contents := storetest.Dump(t, db)
		if file, ok := strings.CutPrefix(url, "sqlite://"); ok {
			files, err := filepath.Glob(file + "*")
			require.NoError(t, err)
			for _, name := range files {
				content, err := os.ReadFile(name)
				require.NoError(t, err)
				contents[filepath.Base(name)] = content
			}
		}
		found := func(text []byte) (places []string) {
			for place, content := range contents {
				if bytes.Contains(content, text) {
					places = append(places, place)
				}
			}
			return places
		}
		for _, shown := range []string{webhook.URL, apiKey.Prefix, source.ID} {
			require.NotEmpty(t, found([]byte(shown)), "the search does not see the data")
		}
		header := models.Webhook{
			OwnerID: models.DefaultOwnerID, URL: "https://example.com/kept", Host: "example.com", Events: []string{"a"}, Active: true,
			Headers: models.Headers{"Authorization": "a-token-of-a-receiver"},
		}
		header.SetCredentials(someCredentials())
		require.NoError(t, store.CreateWebhook(t.Context(), &header, storetest.Secret))
		again := rotate(t, store, &webhook, time.Hour)
		contents = storetest.Dump(t, db)
		require.NotEmpty(t, found([]byte("Authorization")))
		for _, secret := range []string{storetest.Secret, rotated, again, token, "a-token-of-a-receiver", credentialSecret, "a-secret-of-a-provider"} {
			for form, text := range forms(secret) {
				require.Empty(t, found(text), "%s of a secret", form)
			}
		}
	})
}

// forms are the ways in which a secret might be written down.
func forms(secret string) map[string][]byte {
	_, text, ok := strings.Cut(secret, "_")
	if !ok {
		text = secret
	}
	forms := map[string][]byte{
		"the whole": []byte(secret), "the text": []byte(text), "its hex": []byte(hex.EncodeToString([]byte(secret))),
		"its base64": []byte(base64.RawStdEncoding.EncodeToString([]byte(secret))),
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if decoded, err := encoding.DecodeString(text); err == nil {
			forms["what it encodes"], forms["that in hex"] = decoded, []byte(hex.EncodeToString(decoded))
		}
	}
	return forms
}
