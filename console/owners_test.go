package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// hostile is a name that would end an attribute, an element and a script.
const hostile = `"><script>alert(1)</script>'`

// keyOf makes a key of an owner, or an administrator's for an empty ID.
func (s *site) keyOf(ownerID string, role models.Role) string {
	s.t.Helper()
	_, key, err := s.store.CreateAPIKey(s.t.Context(), ownerID, role, nil)
	require.NoError(s.t, err)
	return key
}

// requireHarmless checks that a page has what people named as text only.
func requireHarmless(t *testing.T, p page) {
	t.Helper()
	require.Equal(t, http.StatusOK, p.status, p.body)
	require.NotContains(t, p.body, "<script>alert")
	require.Contains(t, p.body, "&lt;script&gt;alert(1)")
}

func TestOwnersPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		b := s.signedIn(adminKey)
		require.Contains(t, b.get("/console/owners").body, "Create an owner for each of your customers")
		made := b.call("POST /api/owners", url.Values{
			"name": {hostile}, "external_id": {"customer_42"}, "metadata:pairs": {"plan: <b>pro</b>"}, "_next": {"/console/owners/{id}"},
		})
		require.Equal(t, http.StatusNoContent, made.status, made.body)
		path := made.header.Get("HX-Location")
		id := strings.TrimPrefix(path, "/console/owners/")
		webhook := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.OwnerID = id })
		require.NoError(t, db.Model(&webhook).Updates(map[string]any{"active": false, "disabled_reason": "410"}).Error)

		for _, search := range []string{"", "?search=SCRIPT", "?search=customer_42", "?search=" + id} {
			list := b.get("/console/owners" + search)
			requireHarmless(t, list)
			require.Contains(t, list.body, "is-disabled", search)
		}
		require.Contains(t, b.get("/console/owners?search=nobody").body, "No owner is like that")
		one := b.get(path)
		requireHarmless(t, one)
		for _, shown := range []string{"customer_42", "&lt;b&gt;pro&lt;/b&gt;", webhook.ID, "1 of 1 webhooks are disabled", "Open as this owner"} {
			require.Contains(t, one.body, shown)
		}
		require.Equal(t, path, b.get("/console/owners/customer_42/edit").path[:len(path)-len(id)]+id, "an external_id will do")

		edited := b.call("PATCH /api/owners/"+id, url.Values{
			"name": {"Acme"}, "external_id:null": {""}, "metadata:merge": {"plan", "region: eu"},
		})
		require.Equal(t, http.StatusNoContent, edited.status, edited.body)
		owner, err := s.store.Owner(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, "Acme", owner.Name)
		require.Nil(t, owner.ExternalID)
		require.Equal(t, models.Metadata{"region": "eu"}, owner.Metadata)

		require.Equal(t, http.StatusNoContent, b.call("PATCH /api/owners/"+id, url.Values{"active:bool": {"false"}}).status)
		suspended := b.get(path).body
		require.Contains(t, suspended, "is-suspended")
		require.NotContains(t, suspended, "Open as this owner")
	})
}

// An owner is deleted only by who types its name.
func TestOwnersAreDeletedByName(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	acme := storetest.Owner(t, s.store, "Acme Ltd")
	require.Contains(t, b.get("/console/owners/"+acme.ID).body, `name="_must" value="Acme Ltd"`)
	require.NotContains(t, b.get("/console/owners/"+models.DefaultOwnerID).body, `name="_must"`)
	call := "DELETE /api/owners/" + acme.ID
	require.Equal(t, http.StatusUnprocessableEntity, b.call(call, url.Values{"_must": {"Acme Ltd"}, "_typed": {"acme"}}).status)
	_, err := s.store.Owner(t.Context(), acme.ID)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, b.call(call, url.Values{"_must": {"Acme Ltd"}, "_typed": {"Acme Ltd"}}).status)
	_, err = s.store.Owner(t.Context(), acme.ID)
	require.ErrorIs(t, err, models.ErrNotFound)
}

func TestKeysPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	acme, other := storetest.Owner(t, s.store, "Acme "+hostile), storetest.Owner(t, s.store, "Acme Two")
	s.keyOf("", models.RoleRead)
	admins := b.get("/console/keys")
	require.Equal(t, http.StatusOK, admins.status)
	require.Contains(t, admins.body, "is-active")

	made := b.call("POST /api/owners/"+acme.ID+"/keys", url.Values{"role": {"read"}, "expires_in": {"30d"}, "_show": {"Once"}, "_members": {"key id"}})
	require.Equal(t, http.StatusOK, made.status, made.body)
	require.Contains(t, made.body, "prk_")
	list := b.get("/console/keys?owner_id=" + acme.ID)
	requireHarmless(t, list)
	keys, err := s.store.APIKeys(t.Context(), models.Scope{OwnerID: acme.ID})
	require.NoError(t, err)
	require.Contains(t, list.body, keys[0].ID)
	require.Contains(t, list.body, keys[0].ExpiresAt.Format("2006-01-02"))
	require.NotContains(t, list.body, "is-expired")

	found := b.get("/console/keys?owner_id=acme").body
	require.Contains(t, found, "Whose keys?")
	require.Contains(t, found, "owner_id="+other.ID)
	require.Equal(t, http.StatusNoContent, b.call("DELETE /api/keys/"+keys[0].ID, nil).status)
	require.NotContains(t, b.get("/console/keys?owner_id="+acme.ID).body, keys[0].ID)
}

func TestAuditPage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		b := s.signedIn(adminKey)
		acme := storetest.Owner(t, s.store, "acme")
		webhook := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.OwnerID = acme.ID })
		require.Equal(t, http.StatusNoContent, b.call("PATCH /api/webhooks/"+webhook.ID, url.Values{"description": {"x"}}).status)
		require.Equal(t, http.StatusNoContent, b.call("POST /api/owners", url.Values{"name": {"y"}}).status)
		require.NoError(t, s.store.RecordAudit(t.Context(), &models.AuditEntry{Action: hostile, Actor: hostile, Address: hostile, ObjectID: hostile, OwnerID: acme.ID}))

		all := b.get("/console/audit")
		requireHarmless(t, all)
		require.Contains(t, all.body, `href="/console/webhooks/`+webhook.ID+`"`)
		require.Contains(t, all.body, "create owner")
		narrowed := b.get("/console/audit?action=update-webhook&since=2026-01-01T00:00:00Z").body
		require.Contains(t, narrowed, webhook.ID)
		require.NotContains(t, narrowed, "create owner")
		require.Contains(t, b.get("/console/audit?actor=key_nobody").body, "No entry is like that")
		require.Equal(t, http.StatusUnprocessableEntity, b.get("/console/audit?since=yesterday").status)

		own := s.signedIn(s.keyOf(acme.ID, models.RoleRead)).get("/console/audit").body
		require.Contains(t, own, webhook.ID)
		require.NotContains(t, own, "create owner")
		require.NotContains(t, own, "admin key")
	})
}

// Owners see none of the administrators' pages, and administrators who only read no button.
func TestWhoSeesOwners(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	acme := storetest.Owner(t, s.store, "acme")
	owner, reader := s.signedIn(s.keyOf(acme.ID, models.RoleFull)), s.signedIn(s.keyOf("", models.RoleRead))
	for _, path := range []string{"/owners", "/owners?search=a", "/owners/new", "/owners/" + acme.ID, "/owners/" + acme.ID + "/edit", "/keys", "/keys?owner_id=" + acme.ID} {
		require.Equal(t, http.StatusForbidden, owner.get("/console"+path).status, path)
		read := reader.get("/console" + path)
		require.Equal(t, http.StatusOK, read.status, path)
		require.NotContains(t, read.body, `name="_call"`, path)
	}
}
