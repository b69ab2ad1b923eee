package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// A form is the call that it names: the same thing is made, with the same entry in the trail.
func TestAFormIsACall(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	made := b.call("POST /api/webhooks", url.Values{
		"url": {"https://example.com/x"}, "events:lines": {"order.*\n\npayment.made"}, "headers:pairs": {"X-A: 1\nX-B: two: three"},
		"rate_limit:number": {"2.5"}, "active:bool": {"false"}, "description": {""}, "auth.bearer.token": {"t"},
		"_show": {"The secret"}, "_next": {"/console/webhooks/{id}"},
	})
	require.Equal(t, http.StatusOK, made.status, made.body)
	require.Contains(t, made.body, "whsec_")
	require.Contains(t, made.body, `href="/console/webhooks/wh_`)
	var webhook models.Webhook
	require.NoError(t, s.db.Take(&webhook).Error)
	require.Equal(t, []string{"order.*", "payment.made"}, webhook.Events)
	require.InDelta(t, 2.5, *webhook.RateLimit, 0)
	require.False(t, webhook.Active)
	require.Contains(t, webhook.Headers, "X-B")
	var entry models.AuditEntry
	require.NoError(t, s.db.Where("action = 'create-webhook'").Take(&entry).Error)
	require.Equal(t, "admin key", entry.Actor)
	require.Contains(t, entry.Fields, "events")
}

// What the API refuses, the form gets back with the fields.
func TestFormsGetErrorsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	refused := b.call("POST /api/webhooks", url.Values{"url": {"nonsense"}, "events:lines": {"a b"}})
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, `data-field="url"`)
	require.Contains(t, refused.body, `data-field="events[0]"`)
	for field, text := range map[string]string{"data:json": "{", "rate_limit:number": "many", "headers:pairs": "no colon"} {
		refused = b.call("POST /api/webhooks", url.Values{"url": {"https://example.com"}, field: {text}})
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, field)
		require.Contains(t, refused.body, "expected", field)
	}
	require.Equal(t, http.StatusUnprocessableEntity, b.call("GET https://evil.example/", nil).status)
	require.Equal(t, http.StatusUnprocessableEntity, b.post("/console/call", url.Values{}).status)
}

// A button that is pressed twice does one thing, and one of an owner reaches what is the owner's.
func TestButtonsPressedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	for range 2 {
		require.Equal(t, http.StatusNoContent, b.call("POST /api/owners", url.Values{"name": {"x"}, "_key": {"once"}}).status)
	}
	var owners int64
	require.NoError(t, s.db.Model(&models.Owner{}).Where("name = 'x'").Count(&owners).Error)
	require.EqualValues(t, 1, owners)

	_, key, err := s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, s.signedIn(key).call("POST /api/owners", url.Values{"name": {"y"}}).status)
}

// Every form can be shown as a command for a shell, with nothing of the session in it.
func TestFormsAsCurl(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	shown := b.post("/console/curl", url.Values{
		"_call": {"POST /api/events"}, "_key": {"k"}, "event": {"it's"}, "data:json": {`{"a":"<b>"}`},
	})
	require.Equal(t, http.StatusOK, shown.status)
	require.Contains(t, shown.body, "http://postrider.example/api/events")
	require.Contains(t, shown.body, `&#34;a&#34;:&#34;&lt;b&gt;&#34;`)
	require.Contains(t, shown.body, `it&#39;\&#39;&#39;s`)
	require.NotContains(t, shown.body, adminKey)
	long := b.post("/console/curl", url.Values{"_call": {"POST /api/events"}, "event": {"a"}, "data:json": {`"` + strings.Repeat("x", 40_000) + `"`}})
	require.Contains(t, long.body, "-d @body.json", "no shell takes it")
	require.NotContains(t, long.body, "xxx")
	var events int64
	require.NoError(t, s.db.Model(&models.Event{}).Count(&events).Error)
	require.Zero(t, events, "nothing is done")
}

// Done says what happened, for the script.
func TestDoneIsSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	done := s.signedIn(adminKey).call("POST /api/owners", url.Values{"name": {"x"}, "_done": {"Größe \"é\""}, "_next": {"/console/owners/{id}"}})
	require.Equal(t, http.StatusNoContent, done.status)
	var said map[string]string
	require.NoError(t, json.Unmarshal([]byte(done.header.Get("HX-Trigger")), &said))
	require.Equal(t, "Größe \"é\"", said["postrider:done"])
	require.Contains(t, done.header.Get("HX-Location"), "/console/owners/own_")
}

// One button does the same with each of several things, also where no script puts its calls together.
func TestSeveralAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	s.api("POST", "/api/webhooks", `{"url":"https://example.com/hook","events":["a"]}`)
	for range 2 {
		s.api("POST", "/api/events", `{"event":"a","data":1,"delay":"1h"}`)
	}
	var deliveries []models.Delivery
	require.NoError(t, s.db.Find(&deliveries).Error)
	require.Len(t, deliveries, 2)
	form := url.Values{"_act": {"cancel"}}
	for _, delivery := range deliveries {
		form.Add("_call", "POST /api/deliveries/"+delivery.ID+"/")
	}
	require.Equal(t, http.StatusOK, b.post("/console/call", form).status)
	var cancelled int64
	require.NoError(t, s.db.Model(&models.AuditEntry{}).Where("action = 'cancel-delivery'").Count(&cancelled).Error)
	require.EqualValues(t, 2, cancelled)
}
