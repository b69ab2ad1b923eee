package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	htmlparser "golang.org/x/net/html"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// The list shows what may be seen, filtered, with the last day of each.
func TestWebhookList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		require.Contains(t, s.signedIn(adminKey).get("/console/webhooks").body, "No webhook yet")

		owner := storetest.Owner(t, s.store, "Größe & Söhne")
		mine := storetest.Webhook(t, s.store, func(w *models.Webhook) {
			w.OwnerID, w.Host, w.Description = owner.ID, "mine.example", `<script>alert(1)</script>`
		})
		other := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.Host, w.Active = "other.example", false })
		hour := s.store.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
		require.NoError(t, db.Create(&models.Statistics{Subject: mine.ID, Hour: hour, Tally: models.Tally{Attempts: 1301, Delivered: 1234, Failed: 67}}).Error)

		list := s.signedIn(adminKey).get("/console/webhooks")
		require.Equal(t, http.StatusOK, list.status)
		for _, shown := range []string{mine.ID, other.ID, "/console/owners/" + owner.ID, "Größe &amp; Söhne", "is-paused", "&lt;script&gt;alert(1)", "1\u202f234 delivered, 67 attempts failed"} {
			require.Contains(t, list.body, shown)
		}
		require.NotContains(t, list.body, "<script>alert")
		require.NotContains(t, s.signedIn(adminKey).get("/console/webhooks?active=true").body, other.ID)
		require.NotContains(t, s.signedIn(adminKey).get("/console/webhooks?owner_id="+owner.ID).body, other.ID)
		require.Contains(t, s.signedIn(adminKey).get("/console/webhooks?external_id=nobody").body, "No webhook is like that")
		require.Equal(t, http.StatusUnprocessableEntity, s.signedIn(adminKey).get("/console/webhooks?active=perhaps").status)

		_, key, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleRead, nil)
		require.NoError(t, err)
		own := s.signedIn(key).get("/console/webhooks")
		require.Contains(t, own.body, mine.ID)
		require.NotContains(t, own.body, other.ID)
		require.NotContains(t, own.body, "Größe", "only administrators see owners")
		require.NotContains(t, own.body, "/console/webhooks/new", "a key that reads makes none")
	})
}

// full is a webhook with everything that one can have.
func full(s *site, ownerID string) models.Webhook {
	limit, name := 12.5, "my-name"
	return storetest.Webhook(s.t, s.store, func(w *models.Webhook) {
		w.OwnerID, w.URL, w.Host, w.Events = ownerID, "https://full.example/x?a=<script>", "full.example", []string{"order.*", "user.made"}
		w.Description, w.ExternalID, w.Metadata = "<script>alert(1)</script>", &name, models.Metadata{"team": "<b>billing</b>"}
		w.Filter, w.Transform, w.RateLimit = "data.a < 1", "{'a': data.a}", &limit
		w.RetrySchedule, w.Ordered, w.TimeoutMS = models.RetrySchedule{time.Minute, time.Hour}, true, 5000
		w.Headers = models.Headers{"X-Api-Key": "the-header's-value", "X-Env": "prod"}
		w.SetCredentials(models.Credentials{
			Auth:       &models.Auth{OAuth2: &models.OAuth2{TokenURL: "https://token.example/", ClientID: "client", ClientSecret: "the-client's-secret"}},
			Signatures: []models.FurtherSignature{{Header: "X-Hub-Signature", Secret: "the-signature's-secret"}},
		})
	})
}

// A webhook's pages show all of it but what is secret, to who may see it, and what may be done to who may do it.
func TestWebhookPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		owner := storetest.Owner(t, s.store, "a")
		webhook := full(s, owner.ID)
		require.NoError(t, s.store.CreateEventType(t.Context(), &models.EventType{Name: "order.paid.late"}))
		delivery := storetest.Publish(t, s.store, models.Event{Type: "order.paid", Data: []byte(`{}`), OwnerID: owner.ID}).Deliveries[0]
		failed := s.store.Now().UTC().Add(-time.Hour)
		require.NoError(t, db.Create(&models.WebhookHealth{
			WebhookID: webhook.ID, ConsecutiveFailures: 12, FailedDeliveries: 11, FirstFailureAt: &failed, LastFailureAt: &failed, FailingSince: &failed,
		}).Error)

		path := "/console/webhooks/" + webhook.ID
		page := s.signedIn(adminKey).get(path)
		require.Equal(t, http.StatusOK, page.status)
		for _, shown := range []string{
			"is-failing", "The last 12 attempts failed, and 11 deliveries were given up.", failed.Format(time.RFC3339Nano), delivery.ID, "X-Api-Key", "•••",
			"my-name", "data.a &lt; 1", "OAuth 2 with tokens from https://token.example/", "/rotate-secret", "/recover", `pattern="full\.example"`,
			"order.paid.late", "12.5 requests a second", "1m, 1h",
		} {
			require.Contains(t, page.body, shown)
		}
		edit := s.signedIn(adminKey).get(path + "/edit")
		for _, shown := range []string{`value="order.paid.*"`, `value="12.5"`, "X-Api-Key: •••", "https://token.example/", `value="X-Hub-Signature"`, "PATCH /api/webhooks/" + webhook.ID} {
			require.Contains(t, edit.body, shown)
		}
		for _, body := range []string{page.body, edit.body} {
			for _, hidden := range []string{"the-header", "the-client", "the-signature", "<script>alert", "<b>billing", "?a=<script>"} {
				require.NotContains(t, body, hidden)
			}
		}

		_, key, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleRead, nil)
		require.NoError(t, err)
		reader := s.signedIn(key)
		seen := reader.get(path)
		require.Contains(t, seen.body, "my-name")
		require.NotContains(t, seen.body, "/api/webhooks/"+webhook.ID)
		require.NotContains(t, seen.body, "/console/owners/")
		require.Equal(t, http.StatusForbidden, reader.get(path+"/edit").status)
		require.Equal(t, http.StatusForbidden, reader.get("/console/webhooks/new").status)

		_, key, err = s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		stranger := s.signedIn(key)
		require.Equal(t, http.StatusNotFound, stranger.get(path).status)
		require.Equal(t, http.StatusNotFound, stranger.get(path+"/edit").status)
		fresh := stranger.get("/console/webhooks/new")
		require.Equal(t, http.StatusOK, fresh.status)
		require.NotContains(t, fresh.body, `name="owner_id"`, "only administrators name an owner")
		require.Contains(t, s.signedIn(adminKey).get("/console/webhooks/new?owner_id="+owner.ID).body, `value="`+owner.ID+`"`)
	})
}

// formOf is what a browser sends of the first form of a page that names a call, when nothing was changed.
func formOf(t *testing.T, body, call string) url.Values {
	t.Helper()
	at := strings.Index(body, `value="`+call+`"`)
	require.Positive(t, at, call)
	begin := strings.LastIndex(body[:at], "<form")
	root, err := htmlparser.Parse(strings.NewReader(body[begin : at+strings.Index(body[at:], "</form>")]))
	require.NoError(t, err)
	form := url.Values{}
	for n := range root.Descendants() {
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
		}
		name := attributes["name"]
		if n.Type != htmlparser.ElementNode || name == "" {
			continue
		}
		_, checked := attributes["checked"]
		switch {
		case n.Data == "textarea":
			text := ""
			if n.FirstChild != nil {
				text = n.FirstChild.Data
			}
			form.Add(name, text)
		case n.Data == "select":
			form.Add(name, chosenOf(n))
		case attributes["type"] != "checkbox" || checked:
			form.Add(name, attributes["value"])
		}
	}
	return form
}

// chosenOf is the value of a select.
func chosenOf(of *htmlparser.Node) (value string) {
	first := true
	for n := range of.Descendants() {
		if n.Data != "option" {
			continue
		}
		this, isChosen := "", false
		for _, a := range n.Attr {
			switch a.Key {
			case "value":
				this = a.Val
			case "selected":
				isChosen = true
			}
		}
		if first || isChosen {
			value = this
		}
		first = false
	}
	return value
}

// A form that is sent as it came changes nothing, secrets included.
func TestEditingNothingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	made := full(s, models.DefaultOwnerID)
	b := s.signedIn(adminKey)
	form := formOf(t, b.get("/console/webhooks/"+made.ID+"/edit").body, "PATCH /api/webhooks/"+made.ID)
	before, err := s.store.Webhook(t.Context(), models.Scope{}, made.ID)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, b.post("/console/call", form, "HX-Request", "true").status)
	after, err := s.store.Webhook(t.Context(), models.Scope{}, made.ID)
	require.NoError(t, err)
	headers, err := s.store.OpenHeaders(after)
	require.NoError(t, err)
	require.Equal(t, "the-header's-value", headers["X-Api-Key"])
	credentials, err := s.store.OpenCredentials(after)
	require.NoError(t, err)
	require.Equal(t, "the-client's-secret", credentials.Auth.OAuth2.ClientSecret)
	require.Equal(t, "the-signature's-secret", credentials.Signatures[0].Secret)
	for _, webhook := range []*models.Webhook{&before, &after} {
		webhook.UpdatedAt, webhook.SealedHeaders, webhook.SealedCredentials = time.Time{}, nil, nil
	}
	require.Equal(t, before, after)
}

// What is emptied in the form is taken away.
func TestEditingTakesAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	made := full(s, models.DefaultOwnerID)
	b := s.signedIn(adminKey)
	form := formOf(t, b.get("/console/webhooks/"+made.ID+"/edit").body, "PATCH /api/webhooks/"+made.ID)
	for _, name := range []string{"description:null", "external_id:null", "filter:null", "transform:null", "rate_limit:number:null", "timeout:null", "signatures.0.header"} {
		require.Contains(t, form, name)
		form.Set(name, "")
	}
	form["headers:merge"][1], form["metadata:merge"][1] = "X-Env: •••\nX-New: 1", ""
	form.Set("retry_schedule:choice", "[]")
	form.Set("auth:choice", "null")
	form.Set("ordered:bool", "false")
	form["events:lines"] = []string{"*", ""}
	done := b.post("/console/call", form, "HX-Request", "true")
	require.Equal(t, http.StatusNoContent, done.status, done.body)
	after, err := s.store.Webhook(t.Context(), models.Scope{}, made.ID)
	require.NoError(t, err)
	require.Empty(t, after.Description+after.Filter+after.Transform)
	require.Nil(t, after.ExternalID)
	require.Nil(t, after.RateLimit)
	require.Empty(t, after.Metadata)
	require.Zero(t, after.TimeoutMS)
	require.False(t, after.Ordered)
	require.NotNil(t, after.RetrySchedule)
	require.Empty(t, after.RetrySchedule)
	require.Equal(t, []string{"*"}, after.Events)
	headers, err := s.store.OpenHeaders(after)
	require.NoError(t, err)
	require.Equal(t, models.Headers{"X-Env": "prod", "X-New": "1"}, headers)
	credentials, err := s.store.OpenCredentials(after)
	require.NoError(t, err)
	require.True(t, credentials.Empty())
}

// Two fields make a webhook, and the secret is shown then.
func TestCreatingAWebhook(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	form := formOf(t, b.get("/console/webhooks/new").body, "POST /api/webhooks")
	form.Set("url", "https://new.example/")
	form.Set("events:lines", "order.*")
	made := b.post("/console/call", form, "HX-Request", "true")
	require.Equal(t, http.StatusOK, made.status, made.body)
	require.Contains(t, made.body, "whsec_")
	require.NotContains(t, made.body, "owner_id", "only what is secret")
	var webhook models.Webhook
	require.NoError(t, s.db.Take(&webhook).Error)
	require.Contains(t, made.body, "/console/webhooks/"+webhook.ID)
	require.Nil(t, webhook.RetrySchedule)
	require.True(t, webhook.Active)

	form.Set("_key", "another")
	form.Set("signatures.0.header", "X_Wrong")
	refused := b.post("/console/call", form, "HX-Request", "true")
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, `data-field="signatures[0].header"`)
}

// The acts of a webhook's page: pause, resume, rotate, try, and delete once the host is typed.
func TestWebhookActs(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	made := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.Host = "a.example" })
	b := s.signedIn(adminKey)
	path := "/console/webhooks/" + made.ID
	send := func(call string, fields ...string) page {
		t.Helper()
		form := formOf(t, b.get(path).body, call)
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		return b.post("/console/call", form, "HX-Request", "true")
	}
	require.Equal(t, http.StatusNoContent, send("PATCH /api/webhooks/"+made.ID).status)
	require.Contains(t, b.get(path).body, "is-paused")
	require.Equal(t, http.StatusNoContent, send("PATCH /api/webhooks/"+made.ID).status)
	require.NotContains(t, b.get(path).body, "is-paused")

	rotated := send("POST /api/webhooks/"+made.ID+"/rotate-secret", "grace", "1h")
	require.Contains(t, rotated.body, "whsec_")
	require.Contains(t, b.get(path).body, "the secret before signs too until")

	tried := b.call("POST /api/filters/try", url.Values{
		"filter": {"data.a > 1"}, "transform": {"{'b': '<i>'}"}, "event.event": {"x"}, "event.data:json": {`{"a":1}`}, "_show": {"t"}, "_as": {"trial"},
	})
	require.Contains(t, tried.body, "keeps the event back")
	require.Contains(t, tried.body, "&lt;i&gt;")
	tried = b.call("POST /api/filters/try", url.Values{"filter": {"data.c > 1"}, "event.event": {"x"}, "event.data:json": {`{}`}, "_show": {"t"}, "_as": {"trial"}})
	require.Contains(t, tried.body, "class=\"wrong\"")

	deletion := "DELETE /api/webhooks/" + made.ID
	require.Equal(t, http.StatusUnprocessableEntity, send(deletion).status)
	require.Equal(t, http.StatusUnprocessableEntity, send(deletion, "_typed", "b.example").status)
	require.Equal(t, http.StatusOK, b.get(path).status)
	gone := send(deletion, "_typed", " a.example ")
	require.Equal(t, http.StatusNoContent, gone.status)
	require.Equal(t, "/console/webhooks", gone.header.Get("HX-Location"))
	require.Equal(t, http.StatusNotFound, b.get(path).status)
}
