package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Whoever has a key signs in with it, is led where they wanted to go, and out again; a session that has ended is no use to
// whoever has kept its cookie.
func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		b := s.browser()
		first := b.get("/console/deliveries?status=failed")
		require.True(t, strings.HasPrefix(first.path, "/console/sign-in?next="), first.path)
		require.Contains(t, first.body, `value="/console/deliveries?status=failed"`)

		in := b.post("/console/sign-in", url.Values{"key": {adminKey}, "next": {"/console/deliveries?status=failed"}})
		require.Equal(t, "/console/deliveries?status=failed", in.path)
		require.Equal(t, http.StatusOK, in.status)

		at, err := url.Parse(s.URL + "/console/")
		require.NoError(t, err)
		cookies := b.Jar.Cookies(at)
		require.Len(t, cookies, 1)
		out := b.post("/console/sign-out", nil)
		require.True(t, strings.HasPrefix(out.path, "/console/sign-in"), out.path)
		require.Empty(t, b.Jar.Cookies(at))
		b.Jar.SetCookies(at, cookies)
		require.True(t, strings.HasPrefix(b.get("/console/deliveries").path, "/console/sign-in"), "the session has ended")
	})
}

func TestWrongKeysDoNotSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	_, publish, err := s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RolePublish, nil)
	require.NoError(t, err)
	for key, said := range map[string]string{
		"":          "the key is empty",
		"prk_wrong": "the key is not valid",
		publish:     "this key has the role publish",
	} {
		page := s.browser().post("/console/sign-in", url.Values{"key": {key}})
		require.GreaterOrEqual(t, page.status, 400, key)
		require.Contains(t, page.body, said)
		require.Empty(t, page.header.Values("Set-Cookie"))
		if key != "" {
			require.NotContains(t, page.body, key)
		}
	}
}

// Failures to sign in are counted and limited with those of the API.
func TestFailedSignInsAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b, last := s.browser(), page{}
	for range 200 {
		if last = b.post("/console/sign-in", url.Values{"key": {"prk_wrong"}}); last.status == http.StatusTooManyRequests {
			break
		}
	}
	require.Equal(t, http.StatusTooManyRequests, last.status)
	require.Contains(t, last.body, "too many requests without a valid key")
}

// A session ends with its key, and with its owner's suspension.
func TestSessionsEndWithTheirKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		made, key, err := s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleRead, nil)
		require.NoError(t, err)
		b := s.signedIn(key)
		require.Equal(t, "/console/deliveries", b.get("/console/deliveries").path)
		require.NoError(t, s.store.RevokeAPIKey(t.Context(), made.ID))
		require.True(t, strings.HasPrefix(b.get("/console/deliveries").path, "/console/sign-in"))

		soon := time.Now().Add(time.Hour)
		_, key, err = s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleRead, &soon)
		require.NoError(t, err)
		b = s.signedIn(key)
		require.NoError(t, s.db.Model(&models.APIKey{}).Where("hash = ?", models.HashAPIKey(key)).Update("expires_at", time.Now().UTC()).Error)
		require.True(t, strings.HasPrefix(b.get("/console/deliveries").path, "/console/sign-in"))
	})
}

// A made-up or changed cookie is no session.
func TestForeignCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, value := range []string{"x", "AAAA", "!", strings.Repeat("A", 3000)} {
		page := s.browser().get("/console/deliveries", "Cookie", "postrider_session="+value)
		require.True(t, strings.HasPrefix(page.path, "/console/sign-in"), page.path)
	}
}

// Nobody is led to another site by signing in.
func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, next := range []string{"https://evil.example/console/", "//evil.example/console/", "/\\evil.example", "javascript:alert(1)", "/api/owners", ""} {
		in := s.browser().post("/console/sign-in", url.Values{"key": {adminKey}, "next": {next}})
		require.Equal(t, "/console/", in.path, next)
	}
}

// What another site has a browser send does nothing.
func TestOtherSitesCannotCall(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, {"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		refused := b.post("/console/call", url.Values{"_call": {"POST /api/owners"}, "name": {"x"}}, header...)
		require.Equal(t, http.StatusForbidden, refused.status, header)
	}
	require.Equal(t, http.StatusNoContent, b.call("POST /api/owners", url.Values{"name": {"x"}}).status)
}
