package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestOwnerFromCreationToChange(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made := s.admin(http.StatusCreated, "POST", "/api/owners",
		`{"name":"Ünal & Söhne","email":"ops@example.com","slack_url":"https://hooks.slack.com/services/x"}`).object()
	require.Equal(t, []string{"active", "created_at", "email", "external_id", "id", "metadata", "name", "slack_url", "updated_at"}, members(made))
	require.NoError(t, typeid.Check(typeid.KindOwner, text(t, made, "id")))
	require.Equal(t, "Ünal & Söhne", made["name"])
	path := "/api/owners/" + text(t, made, "id")
	require.Equal(t, made, s.admin(http.StatusOK, "GET", path, "").object())

	for _, test := range []struct {
		patch string
		want  map[string]any
	}{
		{`{}`, nil},
		{`{"name":"Ünal"}`, map[string]any{"name": "Ünal"}},
		{`{"email":null}`, map[string]any{"email": nil}},
		{`{"email":"a@example.org","slack_url":null}`, map[string]any{"email": "a@example.org", "slack_url": nil}},
	} {
		patched := s.admin(http.StatusOK, "PATCH", path, test.patch).object()
		made["updated_at"] = patched["updated_at"]
		for member, value := range test.want {
			made[member] = value
		}
		require.Equal(t, made, patched, test.patch)
	}
	items, _ := s.admin(http.StatusOK, "GET", "/api/owners", "").list()
	require.Equal(t, []string{text(t, made, "id"), models.DefaultOwnerID}, idsOf(t, items))

	items, next := s.admin(http.StatusOK, "GET", "/api/owners?limit=1", "").list()
	require.Len(t, items, 1)
	items, next = s.admin(http.StatusOK, "GET", "/api/owners?limit=1&cursor="+next, "").list()
	require.Equal(t, []string{models.DefaultOwnerID}, idsOf(t, items))
	require.Empty(t, next)
}

func TestOwnersThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id, _ := s.owner("a")
	for body, location := range map[string]string{
		`{"name":""}`:       "body.name",
		`{"name":"  "}`:     "body.name",
		`{"name":"a\nb"}`:   "body.name",
		`{"name":"\u0000"}`: "body.name",
		`{"name":"` + strings.Repeat("x", 201) + `"}`:   "body.name",
		`{"name":"a","email":"nobody"}`:                 "body.email",
		`{"name":"a","email":"A <a@example.com>"}`:      "body.email",
		`{"name":"a","email":"a@example.com\r\nBcc:x"}`: "body.email",
		`{"name":"a","email":"\"\u0000\"@example.com"}`: "body.email",
		`{"name":"a","slack_url":"hooks.slack.com"}`:    "body.slack_url",
		`{"name":"a","slack_url":"file:///etc/passwd"}`: "body.slack_url",
		`{"name":"a","slack_url":"https://u:p@x.com"}`:  "body.slack_url",
	} {
		problem := s.call(adminKey, "POST", "/api/owners", body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Len(t, problem.Errors, 1, body)
		require.Equal(t, location, problem.Errors[0].Location, body)
		problem = s.call(adminKey, "PATCH", "/api/owners/"+id, body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, location, problem.Errors[0].Location, body)
	}
	require.Equal(t, "a", s.admin(http.StatusOK, "GET", "/api/owners/"+id, "").object()["name"])
	unknown := typeid.New(typeid.KindOwner, s.store.Now())
	for _, call := range [][2]string{{"GET", unknown}, {"PATCH", unknown}, {"POST", unknown + "/keys"}} {
		problem := s.call(adminKey, call[0], "/api/owners/"+call[1], patchBody(call[0])).problem(http.StatusNotFound, "not_found")
		require.Contains(t, problem.Detail, unknown)
	}
}

func patchBody(method string) string {
	if method == "PATCH" {
		return "{}"
	}
	return ""
}

func TestKeyFromCreationToItsEnd(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, _ := s.owner("a")
	made := s.admin(http.StatusCreated, "POST", "/api/owners/"+ownerID+"/keys", "").object()
	require.Equal(t, []string{"created_at", "expires_at", "id", "key", "last_used_at", "owner_id", "prefix", "role"}, members(made))
	require.Equal(t, ownerID, made["owner_id"])
	key := text(t, made, "key")
	require.True(t, strings.HasPrefix(key, text(t, made, "prefix")))

	webhook := s.call(key, "POST", "/api/webhooks", `{"url":"https://example.com","events":["a"]}`).is(http.StatusCreated).object()
	require.Equal(t, ownerID, webhook["owner_id"], "an owner's things are its own")
	s.call("", "GET", "/api/webhooks", "", "Authorization", "bEaReR "+key).is(http.StatusOK)

	s.admin(http.StatusNoContent, "DELETE", "/api/keys/"+text(t, made, "id"), "")
	reply := s.call(key, "GET", "/api/webhooks", "")
	require.Equal(t, "Bearer", reply.header.Get("WWW-Authenticate"))
	reply.problem(http.StatusUnauthorized, "unauthorized")
	s.call(adminKey, "DELETE", "/api/keys/"+text(t, made, "id"), "").problem(http.StatusNotFound, "not_found")
}

// A key in the database may be an administrator's too.
func TestAdministratorsKeyInTheDatabase(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made, token, err := s.store.CreateAPIKey(t.Context(), "", models.RoleFull, nil)
	require.NoError(t, err)
	s.call(token, "GET", "/api/owners", "").is(http.StatusOK)
	require.NoError(t, s.store.RevokeAnyAPIKey(t.Context(), made.ID))
	s.call(token, "GET", "/api/owners", "").problem(http.StatusUnauthorized, "unauthorized")
}

// Names and descriptions are stored as they are checked: without blanks at their ends.
func TestNamesAreStoredAsChecked(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for path, of := range map[string]struct{ field, rest string }{
		"/api/owners":   {"name", ""},
		"/api/sources":  {"name", `,"scheme":"github","secret":"` + sourceSecret + `"`},
		"/api/webhooks": {"description", `,"url":"https://example.com","events":["a"]`},
	} {
		made := s.admin(http.StatusCreated, "POST", path, `{"`+of.field+`":"  A b \u00a0\t"`+of.rest+`}`).object()
		require.Equal(t, "A b", made[of.field], path)
		changed := s.admin(http.StatusOK, "PATCH", path+"/"+text(t, made, "id"), `{"`+of.field+`":"\tC "}`).object()
		require.Equal(t, "C", changed[of.field], path)
		if of.field == "name" {
			s.call(adminKey, "PATCH", path+"/"+text(t, made, "id"), `{"name":" "}`).problem(http.StatusUnprocessableEntity, "invalid")
		}
	}
}
