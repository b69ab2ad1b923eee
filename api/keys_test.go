package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

const configuredKey = "a configured administrator's key"

// keyedAPI is the API on a store of its own, asked without a network: each request says where it comes from.
type keyedAPI struct {
	t       *testing.T
	store   *store.Store
	handler http.Handler
	// clock is the API's and the store's.
	clock *storetest.Clock
	// used are the keys that the API reported.
	used []string
}

// newKeyedAPI makes the API with a configuration that may be changed.
func newKeyedAPI(t *testing.T, db *gorm.DB, change func(*config)) *keyedAPI {
	t.Helper()
	k := &keyedAPI{t: t, clock: storetest.NewClock()}
	k.store = storetest.New(t, db, store.Config{Now: k.clock.Now})
	cfg := config{
		Config:  api.Config{Now: k.clock.Now, Logger: slog.New(slog.DiscardHandler)},
		Service: service.Config{Store: k.store, KeyUsed: func(id string) { k.used = append(k.used, id) }},
	}
	if change != nil {
		change(&cfg)
	}
	k.handler = newAPI(cfg)
	return k
}

// newKey makes a key; an administrator's for an empty owner.
func (k *keyedAPI) newKey(ownerID string) (models.APIKey, string) {
	k.t.Helper()
	key, token, err := k.store.CreateAPIKey(k.t.Context(), ownerID, models.RoleFull, nil)
	require.NoError(k.t, err)
	return key, token
}

// ask makes a request with a key, from an address. forwarded are lines of X-Forwarded-For.
func (k *keyedAPI) ask(method, path, key, body, from string, forwarded ...string) *http.Response {
	k.t.Helper()
	request := httptest.NewRequestWithContext(k.t.Context(), method, path, strings.NewReader(body))
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	request.RemoteAddr = from
	request.Header["X-Forwarded-For"] = forwarded
	answer := httptest.NewRecorder()
	k.handler.ServeHTTP(answer, request)
	return answer.Result()
}

// call is ask from a fixed address; it returns the status and the body's members.
func (k *keyedAPI) call(method, path, key, body string) (int, map[string]any) {
	k.t.Helper()
	response := k.ask(method, path, key, body, "192.0.2.1:1234")
	return response.StatusCode, membersOf(k.t, response)
}

func membersOf(t *testing.T, response *http.Response) map[string]any {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var got map[string]any
	if len(body) > 0 {
		require.NoError(t, json.Unmarshal(body, &got), "%s", body)
	}
	return got
}

func TestKeysThatExpire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		k := newKeyedAPI(t, db, nil)
		_, admin := k.newKey("")
		const keys = "/api/owners/" + models.DefaultOwnerID + "/keys"
		for name, test := range map[string]struct{ body, end string }{
			"no body":             {``, ""},
			"no terms":            {`{}`, ""},
			"a duration":          {`{"expires_in":"720h"}`, "2026-03-05T04:05:06Z"},
			"a time":              {`{"expires_at":"2026-02-03T05:05:06Z"}`, "2026-02-03T05:05:06Z"},
			"a time in a country": {`{"expires_at":"2026-02-03T06:05:06+01:00"}`, "2026-02-03T05:05:06Z"},
		} {
			status, made := k.call(http.MethodPost, keys, admin, test.body)
			require.Equal(t, http.StatusCreated, status, name)
			if test.end == "" {
				require.Nil(t, made["expires_at"], name)
			} else {
				require.Equal(t, test.end, made["expires_at"], name)
			}
			require.Nil(t, made["last_used_at"], name)
			require.NotEmpty(t, made["key"], name)
		}
		for body, location := range map[string]string{
			`{"expires_in":"soon"}`:                                   "body.expires_in",
			`{"expires_in":"0s"}`:                                     "body.expires_in",
			`{"expires_in":"-1h"}`:                                    "body.expires_in",
			`{"expires_in":"99999h"}`:                                 "body.expires_in",
			`{"expires_at":"2026-02-03T04:05:06Z"}`:                   "body.expires_at",
			`{"expires_at":"2126-02-03T04:05:06Z"}`:                   "body.expires_at",
			`{"expires_in":"1h","expires_at":"2026-02-03T05:05:06Z"}`: "body.expires_at",
		} {
			status, problem := k.call(http.MethodPost, keys, admin, body)
			require.Equal(t, http.StatusUnprocessableEntity, status, body)
			require.Contains(t, problem["detail"], location, body)
		}

		_, made := k.call(http.MethodPost, keys, admin, `{"expires_in":"1h"}`)
		token := made["key"].(string)
		status, _ := k.call(http.MethodGet, "/api/webhooks", token, "")
		require.Equal(t, http.StatusOK, status)
		k.clock.Advance(time.Hour)
		status, problem := k.call(http.MethodGet, "/api/webhooks", token, "")
		require.Equal(t, http.StatusUnauthorized, status)
		require.Equal(t, "key_expired", problem["code"])
		require.Contains(t, problem["detail"], "has expired")
		status, problem = k.call(http.MethodGet, "/api/webhooks", token+"x", "")
		require.Equal(t, http.StatusUnauthorized, status)
		require.Equal(t, "unauthorized", problem["code"], "of a key that never was nothing is said")
	})
}

func TestKeysOfAnOwnerAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		k := newKeyedAPI(t, db, nil)
		_, admin := k.newKey("")
		owner := models.Owner{Name: "acme"}
		require.NoError(t, k.store.CreateOwner(t.Context(), &owner))
		path := "/api/owners/" + owner.ID + "/keys"
		key, token := k.newKey(owner.ID)
		k.newKey(models.DefaultOwnerID)
		require.NoError(t, k.store.APIKeysUsed(t.Context(), map[string]time.Time{key.ID: k.clock.Now()}))

		status, list := k.call(http.MethodGet, path, admin, "")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, map[string]any{"next_cursor": nil, "prev_cursor": nil, "data": []any{map[string]any{
			"id": key.ID, "owner_id": owner.ID, "role": "full", "prefix": token[:10], "created_at": "2026-02-03T04:05:06Z",
			"expires_at": nil, "last_used_at": "2026-02-03T04:05:06Z",
		}}}, list)

		status, _ = k.call(http.MethodGet, path, token, "")
		require.Equal(t, http.StatusForbidden, status, "an owner does not see keys")
		status, problem := k.call(http.MethodGet, "/api/owners/own_00000000000000000000000009/keys", admin, "")
		require.Equal(t, http.StatusNotFound, status)
		require.Equal(t, "not_found", problem["code"])
		status, _ = k.call(http.MethodDelete, "/api/keys/"+key.ID, admin, "")
		require.Equal(t, http.StatusNoContent, status)
		_, list = k.call(http.MethodGet, path, admin, "")
		require.Empty(t, list["data"])
		status, _ = k.call(http.MethodGet, "/api/webhooks", token, "")
		require.Equal(t, http.StatusUnauthorized, status)
	})
}

func TestLastAdminKeyIsNotRevoked(t *testing.T) {
	t.Parallel()
	k := newKeyedAPI(t, storetest.SQLite(t), nil)
	first, token := k.newKey("")
	status, problem := k.call(http.MethodDelete, "/api/keys/"+first.ID, token, "")
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "last_admin_key", problem["code"])
	require.Contains(t, problem["detail"], "postrider keys create --admin")
	k.newKey("")
	status, _ = k.call(http.MethodDelete, "/api/keys/"+first.ID, token, "")
	require.Equal(t, http.StatusNoContent, status)
	status, _ = k.call(http.MethodGet, "/api/owners", token, "")
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestLastStoredAdminKeyMayGoBesideAConfiguredOne(t *testing.T) {
	t.Parallel()
	k := newKeyedAPI(t, storetest.SQLite(t), func(cfg *config) { cfg.Service.AdminKey = configuredKey })
	last, _ := k.newKey("")
	status, _ := k.call(http.MethodDelete, "/api/keys/"+last.ID, configuredKey, "")
	require.Equal(t, http.StatusNoContent, status)
}

func TestUseOfKeysIsReported(t *testing.T) {
	t.Parallel()
	k := newKeyedAPI(t, storetest.SQLite(t), func(cfg *config) { cfg.Service.AdminKey = configuredKey })
	key, token := k.newKey(models.DefaultOwnerID)
	for _, sent := range []string{configuredKey, token, "prk_wrong", ""} {
		k.call(http.MethodGet, "/api/webhooks", sent, "")
	}
	require.Equal(t, []string{key.ID}, k.used, "only a key of the store, and a valid one")
}
