package console_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// api makes a call of the API as an administrator, and returns the ID of what it made.
func (s *site) api(method, path, body string) (id string) {
	s.t.Helper()
	answer := s.browser().do(method, path, strings.NewReader(body), "Authorization", "Bearer "+adminKey, "Content-Type", "application/json")
	require.Less(s.t, answer.status, 300, answer.body)
	var made struct{ ID string }
	if answer.body != "" {
		require.NoError(s.t, json.Unmarshal([]byte(answer.body), &made))
	}
	return made.ID
}

// Who may see an event sees it, with what they may do.
func TestEventPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		mine, other := s.api("POST", "/api/owners", `{"name":"mine"}`), s.api("POST", "/api/owners", `{"name":"other"}`)
		s.api("POST", "/api/webhooks", `{"url":"https://example.com/hook","events":["order.*"],"owner_id":"`+mine+`"}`)
		id := s.api("POST", "/api/events", `{"event":"order.created","owner_id":"`+mine+`","data":{"total":12},"metadata":{"tenant":"acme"}}`)
		everyone := s.api("POST", "/api/events", `{"event":"order.news","broadcast":true,"data":1}`)
		full, read := s.signedIn(s.keyOf(mine, models.RoleFull)), s.signedIn(s.keyOf(mine, models.RoleRead))
		admin, stranger := s.signedIn(adminKey), s.signedIn(s.keyOf(other, models.RoleFull))

		for _, b := range []*browser{admin, full, read} {
			list := b.get("/console/events?event=order.created")
			require.Equal(t, http.StatusOK, list.status, list.body)
			require.Contains(t, list.body, `href="/console/events/`+id+`"`)
			require.NotContains(t, list.body, everyone)
			one := b.get("/console/events/" + id)
			require.Equal(t, http.StatusOK, one.status)
			require.Contains(t, one.body, `{&#34;total&#34;:12}`)
			require.Contains(t, one.body, "acme")
			require.Contains(t, one.body, `href="/console/deliveries/dlv_`)
			data := b.get("/console/events/" + id + "/data")
			require.JSONEq(t, `{"total":12}`, data.body)
			require.Contains(t, data.header.Get("Content-Disposition"), "attachment")
			require.Contains(t, data.header.Get("Content-Security-Policy"), "sandbox")
		}
		require.Contains(t, full.get("/console/events/"+id).body, "Erase its data")
		require.NotContains(t, full.get("/console/events/"+everyone).body, "Erase its data", "it went to other owners too")
		require.Contains(t, admin.get("/console/events/"+everyone).body, "Erase its data")
		require.NotContains(t, read.get("/console/events/"+id).body, "Erase its data")
		require.NotContains(t, read.get("/console/events/new").body, `value="POST /api/events"`)
		require.NotContains(t, read.get("/console/events/batch").body, `value="POST /api/events/batch"`)
		require.NotContains(t, full.get("/console/events/new").body, "broadcast", "for administrators")
		for _, path := range []string{"/console/events/" + id, "/console/events/" + id + "/data", "/console/events/new?like=" + id} {
			require.Equal(t, http.StatusNotFound, stranger.get(path).status, path)
		}
		require.NotContains(t, stranger.get("/console/events").body, id)
		require.Equal(t, http.StatusUnprocessableEntity, admin.get("/console/events?since=yesterday").status)
		require.Contains(t, admin.get("/console/events?event=none").body, "No event is like that")
		require.Contains(t, stranger.get("/console/events").body, "No event yet")
	})
}

// Publishing leads to the event; a key that somebody gives is the event's, and is in the command.
func TestPublishingByHand(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	s.api("PUT", "/api/event-types/order.created", `{"example":{"id":7}}`)
	form := b.get("/console/events/new?event=order.created")
	require.Contains(t, form.body, "&#34;id&#34;: 7", "the example is filled in")
	require.Contains(t, form.body, `<option value="order.created">`)
	require.Equal(t, http.StatusOK, b.get("/console/events/new?event=none").status)

	fields := url.Values{
		"event": {"order.created"}, "data:json": {`{"id": 12345678901234567890123}`}, "broadcast:bool": {"false"}, "metadata:pairs": {"tenant: acme"},
		"delay": {"10m"}, "occurred_at": {"2026-01-02T03:04:05Z"}, "_key": {"x"}, "_idempotency_key": {"order-7"}, "_next": {"/console/events/{id}"},
	}
	for range 2 {
		done := b.call("POST /api/events", fields)
		require.Equal(t, http.StatusNoContent, done.status, done.body)
		require.True(t, strings.HasPrefix(done.header.Get("HX-Location"), "/console/events/evt_"), done.header)
	}
	var events []models.Event
	require.NoError(t, s.db.Find(&events).Error)
	require.Len(t, events, 1)
	require.Equal(t, "order-7", *events[0].IdempotencyKey)
	require.JSONEq(t, `{"id": 12345678901234567890123}`, string(events[0].Data))
	require.Equal(t, models.Metadata{"tenant": "acme"}, events[0].Metadata)
	require.NotNil(t, events[0].DeliverAt)

	fields.Set("_call", "POST /api/events")
	require.Contains(t, b.post("/console/curl", fields).body, "-H &#39;Idempotency-Key: order-7&#39;")
	fields.Set("_idempotency_key", "ü")
	require.Contains(t, b.call("POST /api/events", fields).body, `data-field="_idempotency_key"`)
	like := b.get("/console/events/new?like=" + events[0].ID)
	require.Contains(t, like.body, "12345678901234567890123")
	require.Contains(t, like.body, "tenant: acme")
}

// A batch is sent as it is, however large, and each event has its own result; what was refused comes first.
func TestPublishingABatch(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	send := func(name, events string, header ...string) page {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for field, text := range map[string]string{"_call": "POST /api/events/batch", "_show": "Results", "_as": "batch", name: events} {
			require.NoError(t, form.WriteField(field, text))
		}
		require.NoError(t, form.Close())
		return b.do(http.MethodPost, "/console/call", &body, append([]string{"Content-Type", form.FormDataContentType(), "Sec-Fetch-Site", "same-origin"}, header...)...)
	}
	large := strings.Repeat("ü", 500_000)
	results := send(":json", `{"events":[{"event":"a","data":"`+large+`"},{"event":"b c","data":1},{"event":"a","data":"`+large+`"}]}`, "HX-Request", "true")
	require.Equal(t, http.StatusOK, results.status, results.body)
	require.Contains(t, results.body, "2 published, 1 refused")
	require.NotContains(t, results.body, "<html", "a part of the page")
	require.Contains(t, results.body, `href="/console/events/evt_`)
	require.Less(t, strings.Index(results.body, `<td class="number">2</td>`), strings.Index(results.body, `<td class="number">1</td>`))
	require.Contains(t, results.body, "<code>event</code>")

	whole := send("events:json", `[{"event":"a","data":1}]`)
	require.Contains(t, whole.body, "1 published, 0 refused")
	require.Contains(t, whole.body, "<html", "without a script it is a page")
	require.Equal(t, http.StatusUnprocessableEntity, send("events:json", `[`).status)
	require.Equal(t, http.StatusUnprocessableEntity, send("events:json", `[]`).status)
}

func TestErasingAnEventsData(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	id := s.api("POST", "/api/events", `{"event":"a","data":"to be forgotten"}`)
	b := s.signedIn(s.keyOf(models.DefaultOwnerID, models.RoleFull))
	require.Contains(t, b.get("/console/events/"+id).body, "to be forgotten")
	require.Equal(t, http.StatusNoContent, b.call("DELETE /api/events/"+id+"/data", nil).status)
	erased := b.get("/console/events/" + id)
	require.NotContains(t, erased.body, "to be forgotten")
	require.NotContains(t, erased.body, "Erase its data")
	require.Contains(t, erased.body, "The data was erased")
}

// A page has the beginning of large data only: the rest is got when somebody asks for it.
func TestLargeDataIsNotInThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	id := s.api("POST", "/api/events", `{"event":"a","data":"`+strings.Repeat("é", 250_000)+`"}`)
	one := b.get("/console/events/" + id)
	require.Less(t, len(one.body), 100<<10)
	require.Contains(t, one.body, `data-from="/console/events/`+id+`/data"`)
	require.NotContains(t, one.body, "\uFFFD\n", "it is not cut within a character")
	require.Len(t, b.get("/console/events/"+id+"/data").body, 500_002)
}

// Whatever an event says is shown as text.
func TestHostileEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	const evil = `</pre></textarea><script>alert(1)</script><img src=x onerror=alert(2)>`
	text, err := json.Marshal(evil + "\u0000\u202e")
	require.NoError(t, err)
	id := s.api("POST", "/api/events", `{"event":"a","data":`+string(text)+`,"metadata":{"m":"<script>alert(3)</script>"}}`)
	for _, path := range []string{"/console/events", "/console/events/" + id, "/console/events/new?like=" + id, "/console/events?event=" + url.QueryEscape(evil)} {
		shown := b.get(path).body
		require.NotContains(t, shown, "<script>alert", path)
		require.NotContains(t, shown, "<img src=x", path)
	}
	refused := b.call("POST /api/events", url.Values{"event": {evil}, "data:json": {"1"}})
	require.NotContains(t, refused.body, "<script>")
	require.Contains(t, b.get("/console/events/new?event="+url.QueryEscape(evil)).body, "&lt;script&gt;")
}
