package models_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

func TestAPIKeyIsFoundByItsTokenOnly(t *testing.T) {
	onEach(t, func(t *testing.T, store *models.Store) {
		owner := makeOwner(t, store, "acme")
		made, token, err := store.CreateAPIKey(t.Context(), owner.ID)
		require.NoError(t, err)
		require.False(t, made.Admin())
		require.True(t, strings.HasPrefix(token, models.KeyPrefix))
		require.True(t, strings.HasPrefix(token, made.Prefix))
		require.Len(t, made.Prefix, len(models.KeyPrefix)+6)
		want := sha256.Sum256([]byte(token))
		require.Equal(t, want[:], made.Hash)

		got, err := store.APIKeyByToken(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, made.ID, got.ID)
		require.Equal(t, owner.ID, got.OwnerID)
		for _, wrong := range []string{"", made.Prefix, token + "x", token[:len(token)-1], strings.ToUpper(token), string(made.Hash)} {
			_, err := store.APIKeyByToken(t.Context(), wrong)
			require.ErrorIs(t, err, models.ErrNotFound, wrong)
		}
	})
}

func TestAPIKeysDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		token := models.NewAPIKeyToken()
		require.Regexp(t, `^prk_[A-Za-z0-9_-]{43}$`, token)
		require.False(t, seen[token])
		seen[token] = true
	}
}

func TestRevokedAPIKeyIsGoneAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *models.Store) {
		made, token, err := store.CreateAPIKey(t.Context(), "")
		require.NoError(t, err)
		require.True(t, made.Admin())
		_, err = store.APIKeyByToken(t.Context(), token)
		require.NoError(t, err)

		require.NoError(t, store.RevokeAPIKey(t.Context(), made.ID))
		_, err = store.APIKeyByToken(t.Context(), token)
		require.ErrorIs(t, err, models.ErrNotFound)
		keys, err := store.APIKeys(t.Context(), everything)
		require.NoError(t, err)
		require.Empty(t, keys)
		require.ErrorIs(t, store.RevokeAPIKey(t.Context(), made.ID), models.ErrNotFound)
	})
}

func TestAPIKeyForAnUnknownOwner(t *testing.T) {
	onEach(t, func(t *testing.T, store *models.Store) {
		_, token, err := store.CreateAPIKey(t.Context(), models.NewID(models.KindOwner, store.Now()))
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Empty(t, token)
	})
}

func TestAPIKeysOfAnOwner(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner := makeOwner(t, store, "acme")
		var ids []string
		for _, ownerID := range []string{owner.ID, "", owner.ID} {
			key, _, err := store.CreateAPIKey(t.Context(), ownerID)
			require.NoError(t, err)
			ids = append(ids, key.ID)
			clock.advance(time.Millisecond)
		}
		for name, test := range map[string]struct {
			scope models.Scope
			want  []string
		}{
			"all, newest first": {everything, []string{ids[2], ids[1], ids[0]}},
			"one owner's":       {models.Scope{OwnerID: owner.ID}, []string{ids[2], ids[0]}},
			"nobody's":          {models.Scope{OwnerID: models.DefaultOwnerID}, nil},
		} {
			keys, err := store.APIKeys(t.Context(), test.scope)
			require.NoError(t, err)
			var got []string
			for _, key := range keys {
				got = append(got, key.ID)
			}
			require.Equal(t, test.want, got, name)
		}
	})
}
