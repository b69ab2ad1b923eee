package console_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// The catalogue is for everyone who has signed in; changing it is for administrators.
func TestEventTypePages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		admin, owner := s.signedIn(adminKey), s.signedIn(s.keyOf(models.DefaultOwnerID, models.RoleFull))
		require.Contains(t, admin.get("/console/event-types").body, "The catalogue is empty")
		s.api("PUT", "/api/event-types/order.created", `{"description":"An <b>order</b>","group":"Orders & more","deprecated":true,`+
			`"schema":{"type":"object","required":["id"],"properties":{"id":{"type":"integer","description":"<script>alert(1)</script>"},`+
			`"state":{"enum":["open","paid"]}}},"example":{"id":1}}`)
		s.api("PUT", "/api/event-types/payment.made", `{}`)
		s.api("POST", "/api/events", `{"event":"order.created","data":{"id":1}}`)
		for _, b := range []*browser{admin, owner, s.signedIn(s.keyOf(models.DefaultOwnerID, models.RoleRead))} {
			list := b.get("/console/event-types")
			require.Contains(t, list.body, "Orders &amp; more")
			require.Contains(t, list.body, "An &lt;b&gt;order&lt;/b&gt;")
			require.Contains(t, list.body, "deprecated")
			require.Contains(t, list.body, `href="/console/event-types/payment.made"`)
			one := b.get("/console/event-types/order.created")
			require.Equal(t, http.StatusOK, one.status, one.body)
			require.Contains(t, one.body, "&lt;script&gt;alert(1)&lt;/script&gt;")
			require.NotContains(t, one.body, "<script>alert")
			require.Contains(t, one.body, "&#34;paid&#34;")
			require.Regexp(t, `(?s)Published in 7 days</dt>\s*<dd>\s*1\s`, one.body)
			require.Contains(t, b.get("/console/event-types/payment.made").body, "It has no schema")
			require.Equal(t, http.StatusNotFound, b.get("/console/event-types/none").status)
		}
		require.NotContains(t, admin.get("/console/event-types?search=ORDER").body, "payment.made")
		require.Contains(t, admin.get("/console/event-types?search=none").body, "No event type is like that")
		require.Contains(t, admin.get("/console/event-types/order.created").body, "PUT /api/event-types/order.created")
		require.NotContains(t, owner.get("/console/event-types/order.created").body, "PUT /api/event-types/")
		require.NotContains(t, owner.get("/console/event-types").body, "/event-types/new")
		for _, path := range []string{"/console/event-types/new", "/console/event-types/import"} {
			require.Equal(t, http.StatusOK, admin.get(path).status)
			require.Equal(t, http.StatusForbidden, owner.get(path).status)
		}
	})
}

// What breaks consumers is refused, with what it is, until somebody says that it may.
func TestChangingAnEventType(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	made := b.call("POST /api/event-types", url.Values{
		"name": {"order.created"}, "schema:json": {`{"type":"object","required":["id"]}`}, "deprecated:bool": {"false"},
		"_next": {"/console/event-types/{name}"},
	})
	require.Equal(t, "/console/event-types/order.created", made.header.Get("HX-Location"), made.body)

	change := url.Values{"description": {"new"}, "schema:json": {`{"type":"object"}`}, "deprecated:bool": {"false", "true"}}
	refused := b.call("PUT /api/event-types/order.created", change)
	require.Equal(t, http.StatusConflict, refused.status)
	require.Contains(t, refused.body, `data-code="schema_breaks"`, "has the page offer it")
	require.Contains(t, refused.body, "data.id")
	change.Set("_act", "?force=true")
	require.Equal(t, http.StatusNoContent, b.call("PUT /api/event-types/order.created", change).status)
	var of models.EventType
	require.NoError(t, s.db.Take(&of).Error)
	require.Equal(t, "new", of.Description)
	require.True(t, of.Deprecated)
	require.Equal(t, http.StatusNoContent, b.call("DELETE /api/event-types/order.created", nil).status)
}

// An OpenAPI document is sent as it is, and each of its webhooks has its own result.
func TestImportingEventTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	document := `{"openapi":"3.1.0","webhooks":{"order.created":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}}}},"<b>":{"post":{}}}}`
	results := b.call("POST /api/event-types/import", url.Values{":json": {document}, "_show": {"Results"}, "_as": {"import"}})
	require.Equal(t, http.StatusOK, results.status, results.body)
	require.Contains(t, results.body, "1 created, 0 changed, 1 refused")
	require.Contains(t, results.body, `href="/console/event-types/order.created"`)
	require.Contains(t, results.body, "&lt;b&gt;")
	refused := b.call("POST /api/event-types/import", url.Values{":json": {`{}`}, "_show": {"Results"}, "_as": {"import"}})
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, "OpenAPI")
}
