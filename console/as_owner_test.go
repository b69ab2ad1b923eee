package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// open opens the console as an owner, and returns the base of its pages.
func (b *browser) open(owner models.Owner) string {
	b.s.t.Helper()
	opened := b.post("/console/owners/"+owner.ID+"/open", nil)
	require.Equal(b.s.t, http.StatusOK, opened.status, opened.body)
	base := "/console/as/" + owner.ID
	require.Equal(b.s.t, base+"/", opened.path)
	return base
}

// The administrator sees what the owner sees, with a word of where they are, makes what becomes the owner's, and goes back.
func TestOpenAsOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		acme, other := storetest.Owner(t, s.store, "Acme <b>"), storetest.Owner(t, s.store, "other")
		theirs := models.Source{OwnerID: other.ID, Name: "theirs", Scheme: "github", Active: true}
		require.NoError(t, s.store.CreateSource(t.Context(), &theirs, []string{"a secret"}))
		b := s.signedIn(adminKey)
		base := b.open(acme)

		page := b.get(base + "/inbound")
		require.Equal(t, http.StatusOK, page.status)
		require.Contains(t, page.body, "You see the console as Acme &lt;b&gt; does.")
		require.Contains(t, page.body, `href="`+base+`/deliveries"`)
		others := strings.NewReplacer(`href="/console/static/`, "", `href="`+base, "").Replace(page.body)
		require.NotContains(t, others, `href="/console`, "every link stays with the owner")
		require.NotContains(t, page.body, ">Owners<")
		require.NotContains(t, page.body, theirs.ID)
		require.Equal(t, http.StatusNotFound, b.get(base+"/sources/"+theirs.ID).status)
		for _, path := range []string{"/owners", "/owners/" + other.ID, "/keys", "/owners/new"} {
			require.Equal(t, http.StatusForbidden, b.get(base+path).status, path)
		}

		made := b.post(base+"/call", url.Values{"_call": {"POST /api/webhooks"}, "url": {"https://example.com"}, "events:lines": {"*"}}, "HX-Request", "true")
		require.Equal(t, http.StatusNoContent, made.status, made.body)
		var webhook models.Webhook
		require.NoError(t, db.Where("owner_id = ?", acme.ID).Take(&webhook).Error)
		plain := b.post(base+"/call", url.Values{"_call": {"PATCH /api/webhooks/" + webhook.ID}, "description": {"x"}}, "Referer", s.URL+base+"/inbound?status=failed")
		require.Equal(t, base+"/inbound?status=failed", plain.path, "a form without the script leads back to where it is")
		refused := b.post(base+"/call", url.Values{"_call": {"DELETE /api/sources/" + theirs.ID}}, "HX-Request", "true")
		require.Equal(t, http.StatusNotFound, refused.status)
		require.Equal(t, http.StatusForbidden, b.post(base+"/owners/"+other.ID+"/open", nil).status)

		for range 51 {
			require.NoError(t, s.store.RecordAudit(t.Context(), &models.AuditEntry{Action: "x", OwnerID: acme.ID}))
		}
		require.Contains(t, b.get(base+"/audit").body, `rel="next" href="`+base+`/audit?cursor=`)
		require.Contains(t, b.get("/console/sources/"+theirs.ID).body, theirs.ID, "other tabs are the administrator's")
		back := b.post(base+"/sign-out", nil)
		require.Equal(t, "/console/owners/"+acme.ID, back.path)
		require.Equal(t, http.StatusOK, back.status)
		require.Equal(t, "/console/owners/"+acme.ID, b.get(base+"/deliveries").path, "that session has ended")
		trail := b.get("/console/audit?action=open-as-owner,create-webhook").body
		require.Contains(t, trail, "open as owner")
		require.Contains(t, trail, "create webhook")
	})
}

// Nobody comes in by the path alone, with another's cookie, or after signing out.
func TestOpenedConsolesNeedTheirAdministrator(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	acme, other := storetest.Owner(t, s.store, "acme"), storetest.Owner(t, s.store, "other")
	b := s.signedIn(adminKey)
	require.Equal(t, "/console/owners/"+acme.ID, b.get("/console/as/"+acme.ID+"/deliveries").path, "it was not opened")
	base := b.open(acme)

	at, err := url.Parse(s.URL + base + "/")
	require.NoError(t, err)
	cookies := b.Jar.Cookies(at)
	require.Len(t, cookies, 2)
	elsewhere := func(path string, which func(*http.Cookie) bool, as *browser) page {
		var kept []string
		for _, cookie := range cookies {
			if which(cookie) {
				kept = append(kept, cookie.Name+"="+cookie.Value)
			}
		}
		return as.get(path, "Cookie", strings.Join(kept, "; "))
	}
	opened := func(c *http.Cookie) bool { return c.Name == "postrider_as_owner" }
	all := func(*http.Cookie) bool { return true }
	require.Equal(t, base+"/deliveries", elsewhere(base+"/deliveries", all, s.browser()).path)
	require.Contains(t, elsewhere(base+"/deliveries", opened, s.browser()).path, "/console/sign-in", "the session is of no use alone")
	for _, path := range []string{"/console/as/" + other.ID + "/deliveries", base + "/as/" + other.ID + "/", "/console/as/own_../deliveries"} {
		require.NotContains(t, elsewhere(path, all, s.browser()).body, "You see the console as", path)
	}

	_, key, err := s.store.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
	require.NoError(t, err)
	second := s.signedIn(key)
	second.Jar.SetCookies(at, []*http.Cookie{{Name: "postrider_as_owner", Value: cookieNamed(t, cookies, "postrider_as_owner"), Path: base}})
	require.Equal(t, "/console/owners/"+acme.ID, second.get(base+"/deliveries").path, "another administrator has not opened it")

	require.Equal(t, "/console/sign-in", b.post("/console/sign-out", nil).path)
	require.Contains(t, elsewhere(base+"/deliveries", all, s.browser()).path, "/console/sign-in")
}

func cookieNamed(t *testing.T, cookies []*http.Cookie, name string) string {
	t.Helper()
	for _, cookie := range cookies {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	t.Fatal("no cookie ", name)
	return ""
}

// Owners open nobody, what is not there cannot be opened, and nobody signs in there.
func TestWhoCannotOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	acme := storetest.Owner(t, s.store, "acme")
	_, key, err := s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, s.signedIn(key).post("/console/owners/"+acme.ID+"/open", nil).status)
	b := s.signedIn(adminKey)
	require.Equal(t, http.StatusNotFound, b.post("/console/owners/"+typeid.New(typeid.KindOwner, s.store.Now())+"/open", nil).status)
	require.Equal(t, http.StatusForbidden, b.post("/console/owners/"+acme.ID+"/open", nil, "Sec-Fetch-Site", "cross-site").status)
	base := b.open(acme)
	require.Equal(t, "/console/sign-in?next=%2Fconsole%2Fowners%2F"+acme.ID, b.get(base+"/sign-in").path)

	_, err = s.store.UpdateOwner(t.Context(), acme.ID, func(o *models.Owner) error { o.Active = false; return nil })
	require.NoError(t, err)
	require.Equal(t, "/console/owners/"+acme.ID, b.get(base+"/deliveries").path, "a suspended owner sees nothing")
	suspended := b.post("/console/owners/"+acme.ID+"/open", nil)
	require.Equal(t, http.StatusConflict, suspended.status)
	require.Contains(t, suspended.body, "suspended")
}

// An administrator who only reads sees an owner's pages without what changes something.
func TestReadersOpenToRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	acme := storetest.Owner(t, s.store, "acme")
	_, key, err := s.store.CreateAPIKey(t.Context(), "", models.RoleRead, nil)
	require.NoError(t, err)
	b := s.signedIn(key)
	base := b.open(acme)
	require.NotContains(t, b.get(base+"/inbound").body, "/sources/new")
	refused := b.post(base+"/call", url.Values{"_call": {"POST /api/webhooks"}, "url": {"https://example.com"}, "events:lines": {"*"}}, "HX-Request", "true")
	require.Equal(t, http.StatusForbidden, refused.status)
}
