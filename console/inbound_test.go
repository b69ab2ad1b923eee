package console_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

const gitHubSecret = "a secret of GitHub's"

func gitHubSignature(body string) string {
	mac := hmac.New(sha256.New, []byte(gitHubSecret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// source makes a source for GitHub by the form, and returns the path of its page.
func (b *browser) source(name string, fields url.Values) (path, id string) {
	b.s.t.Helper()
	form := url.Values{"scheme": {"github"}, "name": {name}, "secret": {gitHubSecret}, "_next": {"/console/sources/{id}"}}
	for field, texts := range fields {
		form[field] = texts
	}
	made := b.call("POST /api/sources", form)
	require.Equal(b.s.t, http.StatusNoContent, made.status, made.body)
	path = made.header.Get("HX-Location")
	return path, strings.TrimPrefix(path, "/console/sources/")
}

// sends has GitHub send a body to a source.
func (s *site) sends(id, body, signature, event string) int {
	s.t.Helper()
	return s.browser().do(http.MethodPost, "/webhooks/"+id, strings.NewReader(body),
		"X-Hub-Signature-256", signature, "X-GitHub-Event", event, "X-GitHub-Delivery", "d-"+event).status
}

func TestInboundPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		b := s.signedIn(adminKey)
		require.Contains(t, b.get("/console/inbound").body, "No source yet")
		path, id := b.source(hostile, nil)
		fresh := b.get(path)
		requireHarmless(t, fresh)
		require.Contains(t, fresh.body, "http://postrider.example/webhooks/"+id)
		require.Contains(t, fresh.body, "Add webhook")
		require.Contains(t, fresh.body, "Nothing has come yet")

		body := `{"action":"` + "<script>alert(1)" + `"}`
		require.Equal(t, http.StatusUnauthorized, s.sends(id, body, gitHubSignature("another"), "issues"))
		require.Contains(t, b.get(path).body, "all were refused")
		require.Equal(t, http.StatusOK, s.sends(id, body, gitHubSignature(body), "issues"))
		require.Equal(t, http.StatusUnauthorized, s.sends(id, body, "", "issues"))
		one := b.get(path)
		requireHarmless(t, one)
		for _, said := range []string{"The signature does not match", "The request has no signature", "127.0.0.1", "All received events of this source"} {
			require.Contains(t, one.body, said)
		}

		var received models.InboundEvent
		require.NoError(t, db.Take(&received).Error)
		for query, there := range map[string]bool{"": true, "?source_id=" + id: true, "?status=pending": true, "?status=failed": false, "?type=x": false} {
			list := b.get("/console/inbound" + query)
			requireHarmless(t, list)
			require.Equal(t, there, strings.Contains(list.body, received.ID), query)
		}
		event := b.get("/console/inbound-events/" + received.ID)
		requireHarmless(t, event)
		require.Contains(t, event.body, "X-Github-Event")
		require.NotContains(t, event.body, "sha256=")
		require.Contains(t, event.body, `href="/console/inbound-events/`+received.ID+`/body" download`)
		sent := b.get("/console/inbound-events/" + received.ID + "/body")
		require.Equal(t, body, sent.body)
		require.Contains(t, sent.header.Get("Content-Disposition"), "attachment", "never a page")
		require.Contains(t, event.body, "https://temporal.example/"+received.ID)
		require.Contains(t, event.body, "POST /api/inbound-events/"+received.ID+"/reprocess")
		require.Equal(t, http.StatusNoContent, b.call("DELETE /api/sources/"+id, nil).status)
		require.Equal(t, http.StatusOK, b.get("/console/inbound-events/"+received.ID).status, "its source is gone")
		require.Equal(t, http.StatusNotFound, b.get(path).status)
	})
}

// The form of a source has the fields of its scheme, and no others; what is empty when it is changed becomes the default.
func TestSourceForms(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	require.Contains(t, b.get("/console/sources/new").body, "?scheme=shopify")
	for scheme, has := range map[string]map[string]bool{
		"github": {`"header"`: false, `"tolerance"`: false, `"secret"`: true}, "stripe": {`"header"`: false, `"tolerance"`: true},
		"standard-webhooks": {`"id_field"`: true, `"id_header"`: false}, "hmac": {`"header"`: true, `"hash"`: true, `"tolerance"`: false},
	} {
		form := b.get("/console/sources/new?scheme=" + scheme).body
		for name, there := range has {
			require.Equal(t, there, strings.Contains(form, "name="+name), scheme+" "+name)
		}
	}
	require.Equal(t, http.StatusNotFound, b.get("/console/sources/new?scheme=nothing").status)
	for _, provider := range service.Providers() {
		form := b.get("/console/sources/new?scheme=" + provider.Scheme).body
		_, form, _ = strings.Cut(form, `<span class="copied"><code>`)
		secret, _, _ := strings.Cut(form, "<")
		fields := url.Values{"scheme": {provider.Scheme}, "name": {"x"}, "secret": {secret}}
		if provider.Scheme == "hmac" {
			fields.Set("header", "X-Signature")
		}
		made := b.call("POST /api/sources", fields)
		require.Equal(t, http.StatusNoContent, made.status, "the secret that the form suggests: %s", made.body)
	}
	require.NoError(t, s.db.Exec("DELETE FROM sources").Error)

	path, id := b.source("x", url.Values{"scheme": {"hmac"}, "header": {"X-Sig"}, "prefix": {"v1="}, "verify_token": {"the token"}, "broadcast:bool": {"true"}})
	edit := b.get(path + "/edit").body
	require.Contains(t, edit, `name="prefix:null" value="v1="`)
	require.NotContains(t, edit, "the token")
	require.NotContains(t, edit, gitHubSecret)
	require.Contains(t, edit, "checked")
	changed := b.call("PATCH /api/sources/"+id, url.Values{"name": {"y"}, "prefix:null": {""}, "secrets:lines": {"the old one\nthe new one"}})
	require.Equal(t, http.StatusNoContent, changed.status, changed.body)
	var source models.Source
	require.NoError(t, s.db.Take(&source).Error)
	require.Equal(t, "y", source.Name)
	require.Empty(t, source.Options.Prefix)
	require.Equal(t, "X-Sig", source.Options.Header)
	secrets, err := s.store.SourceSecrets(source)
	require.NoError(t, err)
	require.Equal(t, []string{"the old one", "the new one"}, secrets)
}

// A pasted request is judged, what is wrong is explained, and what was pasted stays.
func TestTryARequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	path, id := b.source("x", nil)
	require.Equal(t, http.StatusOK, b.get(path+"/try").status)
	body := `{"action":"<script>"}`
	head := "POST /webhooks/x HTTP/1.1\r\n> Host: x\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: d-1\r\nX-Hub-Signature-256: " + gitHubSignature(body)
	for name, test := range map[string]struct{ head, body, says string }{
		"as it is":    {head, body, "github.issues._script_"},
		"all at once": {head + "\r\n\r\n" + body, "", "github.issues._script_"},
		"changed":     {head, body + "!", "The signature does not match"},
		"indented":    {head, "{\r\n  \"action\": \"<script>\"\r\n}", "It was indented"},
		"a ping":      {strings.Replace(head, "issues", "ping", 1), body, "is answered and not stored"},
		"no headers":  {"\r\n", body, "Paste the headers too"},
		"no colon":    {"what is this", body, "A line is no header"},
		"no event":    {strings.Replace(head, "X-GitHub-Delivery", "X-Other", 1), body, "does not name an event"},
	} {
		tried := b.post(path+"/try", url.Values{"head": {test.head}, "body": {test.body}})
		require.Equal(t, http.StatusOK, tried.status, name)
		require.Contains(t, tried.body, test.says, name)
		require.NotContains(t, tried.body, "<script>", name)
		require.Contains(t, html.UnescapeString(tried.body), test.body, name)
	}
	var counted int64
	require.NoError(t, s.db.Model(&models.InboundEvent{}).Count(&counted).Error)
	require.Zero(t, counted)
	var source models.Source
	require.NoError(t, s.db.Take(&source).Error)
	require.Zero(t, source.Rejected)

	require.Equal(t, http.StatusNoContent, b.call("PATCH /api/sources/"+id, url.Values{"active:bool": {"false"}}).status)
	require.Contains(t, b.post(path+"/try", url.Values{"head": {head}, "body": {body}}).body, "it is paused")
	require.Equal(t, http.StatusForbidden, b.post(path+"/try", url.Values{"head": {head}}, "Sec-Fetch-Site", "cross-site").status)
}

// Owners see their own sources and what came to them, and whoever only reads no button.
func TestWhoSeesInbound(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	admin := s.signedIn(adminKey)
	acme, other := storetest.Owner(t, s.store, "acme"), storetest.Owner(t, s.store, "other")
	path, id := admin.source("of acme", url.Values{"owner_id": {acme.ID}})
	require.Equal(t, http.StatusOK, s.sends(id, "{}", gitHubSignature("{}"), "push"))
	var received models.InboundEvent
	require.NoError(t, s.db.Take(&received).Error)
	paths := []string{path, path + "/edit", path + "/try", "/console/inbound-events/" + received.ID, "/console/inbound-events/" + received.ID + "/body"}

	mine, theirs, reader := s.signedIn(s.keyOf(acme.ID, models.RoleFull)), s.signedIn(s.keyOf(other.ID, models.RoleFull)), s.signedIn(s.keyOf(acme.ID, models.RoleRead))
	for _, path := range paths {
		own := mine.get(path)
		require.Equal(t, http.StatusOK, own.status, path)
		require.NotContains(t, own.body, acme.ID, "an owner's pages do not speak of owners")
		require.NotContains(t, own.body, "broadcast")
		require.Equal(t, http.StatusNotFound, theirs.get(path).status, path)
	}
	require.Equal(t, http.StatusNotFound, theirs.post(path+"/try", url.Values{"head": {"A: b"}}).status)
	require.NotContains(t, theirs.get("/console/inbound").body, "of acme")
	for _, path := range []string{path, path + "/edit", "/console/sources/new?scheme=github", "/console/inbound", "/console/inbound-events/" + received.ID} {
		read := reader.get(path)
		require.Equal(t, http.StatusOK, read.status, path)
		require.NotContains(t, read.body, `name="_call"`, path)
		require.NotContains(t, read.body, `href="/console/sources/new`, path)
	}
}
