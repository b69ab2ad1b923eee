package store_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestAPIKeyIsFoundByItsTokenOnly(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		made, token, err := store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
		require.NoError(t, err)
		require.False(t, made.Admin())
		require.True(t, strings.HasPrefix(token, models.KeyPrefix))
		require.True(t, strings.HasPrefix(token, made.Prefix))
		require.Len(t, made.Prefix, len(models.KeyPrefix)+6)
		want := sha256.Sum256([]byte(token))
		require.Equal(t, want[:], made.Hash)

		got, err := store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
		require.Equal(t, made.ID, got.ID)
		require.Equal(t, owner.ID, got.OwnerID)
		for _, wrong := range []string{"", made.Prefix, token + "x", token[:len(token)-1], strings.ToUpper(token), string(made.Hash)} {
			_, err := store.APIKeyByHash(t.Context(), models.HashAPIKey(wrong))
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
	onEach(t, func(t *testing.T, store *store.Store) {
		made, token, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)

		require.NoError(t, store.RevokeAPIKey(t.Context(), made.ID))
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.ErrorIs(t, err, models.ErrNotFound)
		keys, err := store.APIKeys(t.Context(), everything)
		require.NoError(t, err)
		require.Empty(t, keys)
		require.ErrorIs(t, store.RevokeAPIKey(t.Context(), made.ID), models.ErrNotFound)
	})
}

func TestAPIKeyExpires(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		end := clock.Now().Add(time.Hour)
		made, token, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, &end)
		require.NoError(t, err)
		require.Equal(t, end, *made.ExpiresAt)

		clock.Set(end.Add(-time.Millisecond))
		got, err := store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.NoError(t, err)
		require.True(t, end.Equal(*got.ExpiresAt))
		clock.Set(end)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.ErrorIs(t, err, models.ErrKeyExpired)
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token+"x"))
		require.ErrorIs(t, err, models.ErrNotFound, "only a key that there was has expired")

		require.NoError(t, store.RevokeAPIKey(t.Context(), made.ID))
		_, err = store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
		require.ErrorIs(t, err, models.ErrNotFound, "a revoked key is gone, expired or not")
	})
}

func TestLastAdminKeyStays(t *testing.T) {
	const forever, hour, past = 0, time.Hour, -time.Hour
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		for name, test := range map[string]struct {
			// lives are how long the keys live; the first is revoked.
			lives []time.Duration
			stays bool
		}{
			"the only one":            {[]time.Duration{forever}, true},
			"one of two":              {[]time.Duration{forever, forever}, false},
			"beside one that expires": {[]time.Duration{forever, hour}, true},
			"beside one that expires and one that does not": {[]time.Duration{forever, hour, forever}, false},
			"beside one that has expired":                   {[]time.Duration{forever, past}, true},
			"an expiring one beside one that does not":      {[]time.Duration{hour, forever}, false},
			"an expiring one beside another such":           {[]time.Duration{hour, hour}, false},
			"the only one, which expires":                   {[]time.Duration{hour}, true},
			"an expired one":                                {[]time.Duration{past}, false},
		} {
			require.NoError(t, db.Exec("DELETE FROM api_keys").Error)
			store, clock := clockedStore(t, db)
			_, _, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
			require.NoError(t, err)
			var ids []string
			for _, life := range test.lives {
				end := clock.Now().Add(life)
				key, _, err := store.CreateAPIKey(t.Context(), "", models.RoleFull, &end)
				if life == forever {
					require.NoError(t, db.Exec("UPDATE api_keys SET expires_at = NULL WHERE id = ?", key.ID).Error)
				}
				require.NoError(t, err)
				ids = append(ids, key.ID)
			}
			err = store.RevokeAPIKey(t.Context(), ids[0])
			if !test.stays {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorIs(t, err, models.ErrLastAdminKey, name)
			require.NoError(t, store.RevokeAnyAPIKey(t.Context(), ids[0]), name)
		}
	})
}

// A key that cannot do everything is no way in for administrators.
func TestLastAdminKeyThatDoesEverythingStays(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		full, _, err := store.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
		require.NoError(t, err)
		for _, role := range []models.Role{models.RolePublish, models.RoleRead} {
			other, _, err := store.CreateAPIKey(t.Context(), "", role, nil)
			require.NoError(t, err)
			require.ErrorIs(t, store.RevokeAPIKey(t.Context(), full.ID), models.ErrLastAdminKey, role)
			require.NoError(t, store.RevokeAPIKey(t.Context(), other.ID))
		}
	})
}

// Each round revokes the last two administrators' keys at the same moment, over connections of their own.
func TestLastTwoAdminKeysAreNotRevokedAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		for range 20 {
			var keys [2]models.APIKey
			for i := range keys {
				var err error
				keys[i], _, err = store.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
				require.NoError(t, err)
			}
			var errs [2]error
			start := make(chan struct{})
			var both sync.WaitGroup
			for i, key := range keys {
				both.Go(func() {
					<-start
					errs[i] = store.RevokeAPIKey(t.Context(), key.ID)
				})
			}
			close(start)
			both.Wait()
			left, err := store.APIKeys(t.Context(), everything)
			require.NoError(t, err)
			require.Len(t, left, 1)
			lost := slices.IndexFunc(keys[:], func(k models.APIKey) bool { return k.ID == left[0].ID })
			require.ErrorIs(t, errs[lost], models.ErrLastAdminKey)
			require.NoError(t, errs[1-lost])
			require.NoError(t, store.RevokeAnyAPIKey(t.Context(), left[0].ID))
		}
	})
}

func TestUseOfAPIKeysIsWrittenOnceAMinute(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		key, token, err := store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		lastUsed := func() *time.Time {
			got, err := store.APIKeyByHash(t.Context(), models.HashAPIKey(token))
			require.NoError(t, err)
			return got.LastUsedAt
		}
		require.Nil(t, lastUsed())
		first := clock.Now()
		for _, step := range []struct {
			after, want time.Duration
		}{
			{0, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {30 * time.Second, time.Minute}, {2 * time.Minute, 2 * time.Minute},
		} {
			used := map[string]time.Time{key.ID: first.Add(step.after), "key_gone": first}
			require.NoError(t, store.APIKeysUsed(t.Context(), used))
			require.True(t, first.Add(step.want).Equal(*lastUsed()), "after %s: %s", step.after, lastUsed())
		}
	})
}

func TestAPIKeyForAnUnknownOwner(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		_, token, err := store.CreateAPIKey(t.Context(), typeid.New(typeid.KindOwner, store.Now()), models.RoleFull, nil)
		require.ErrorIs(t, err, models.ErrNotFound)
		require.Empty(t, token)
	})
}

func TestAPIKeysOfAnOwnerByPage(t *testing.T) {
	onEach(t, func(t *testing.T, store *store.Store) {
		owner := storetest.Owner(t, store, "acme")
		var want []string
		for range 3 {
			key, _, err := store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
			require.NoError(t, err)
			want = append(want, key.ID)
		}
		_, _, err := store.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
		require.NoError(t, err)
		slices.Sort(want)
		slices.Reverse(want)

		var got []string
		page := models.Page{Limit: 2}
		for {
			keys, beside, err := store.OwnerAPIKeys(t.Context(), owner.ID, page)
			require.NoError(t, err)
			for _, key := range keys {
				got = append(got, key.ID)
			}
			if beside.Next == "" {
				break
			}
			page.Cursor = beside.Next
		}
		require.Equal(t, want, got)
		_, _, err = store.OwnerAPIKeys(t.Context(), typeid.New(typeid.KindOwner, store.Now()), page)
		require.ErrorIs(t, err, models.ErrNotFound)
		_, _, err = store.OwnerAPIKeys(t.Context(), "", page)
		require.ErrorIs(t, err, models.ErrNotFound, "never the administrators'")
	})
}

func TestAPIKeysOfAnOwner(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		store, clock := clockedStore(t, db)
		owner := storetest.Owner(t, store, "acme")
		var ids []string
		for _, ownerID := range []string{owner.ID, "", owner.ID} {
			key, _, err := store.CreateAPIKey(t.Context(), ownerID, models.RoleFull, nil)
			require.NoError(t, err)
			ids = append(ids, key.ID)
			clock.Advance(time.Millisecond)
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
