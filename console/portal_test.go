package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// inPortal is a browser that has opened a link to an owner's portal.
func (s *site) inPortal(ownerID, terms string) *browser {
	s.t.Helper()
	link := s.portalLink(ownerID, terms)
	b := s.browser()
	require.Equal(s.t, http.StatusUnauthorized, b.get("/portal/deliveries").status)
	require.Equal(s.t, http.StatusNoContent, b.post("/portal/open", url.Values{"link": {link}}).status)
	return b
}

// portalLink makes a link and returns its secret.
func (s *site) portalLink(ownerID, terms string) string {
	s.t.Helper()
	made := s.browser().do(http.MethodPost, "/api/owners/"+ownerID+"/portal", strings.NewReader(terms), "Authorization", "Bearer "+adminKey)
	require.Equal(s.t, http.StatusCreated, made.status, made.body)
	var link struct{ URL string }
	require.NoError(s.t, json.Unmarshal([]byte(made.body), &link))
	at, err := url.Parse(link.URL)
	require.NoError(s.t, err)
	require.Equal(s.t, "/portal/", at.Path)
	return at.Fragment
}

// The portal shows what belongs to its owner, links within itself, and has nothing of the console's.
func TestPortal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		mine, theirs := storetest.Owner(t, s.store, "mine"), storetest.Owner(t, s.store, "theirs")
		var ids []string
		for _, owner := range []models.Owner{mine, theirs} {
			storetest.Webhook(t, s.store, func(w *models.Webhook) { w.OwnerID = owner.ID })
			published := storetest.Publish(t, s.store, models.Event{OwnerID: owner.ID, Type: "a." + owner.Name, Data: []byte(`{"of":"` + owner.Name + `"}`)})
			ids = append(ids, published.Deliveries[0].ID, published.Deliveries[0].WebhookID, published.Event.ID)
		}
		b := s.inPortal(mine.ID, "")
		for _, path := range []string{"/", "/deliveries", "/deliveries/" + ids[0], "/webhooks", "/webhooks/" + ids[1], "/events", "/events/" + ids[2], "/event-types", "/recoveries"} {
			page := b.get("/portal" + path)
			require.Equal(t, http.StatusOK, page.status, path)
			require.NotContains(t, page.body, "a.theirs", path)
			require.NotRegexp(t, `(href|action)="/console/[^s]`, page.body, path)
			for _, id := range ids[3:] {
				require.NotContains(t, page.body, id, path)
			}
		}
		for _, path := range []string{"/deliveries/" + ids[3], "/webhooks/" + ids[4], "/webhooks/" + ids[4] + "/edit", "/events/" + ids[5]} {
			require.Equal(t, http.StatusNotFound, b.get("/portal"+path).status, path)
		}
		for _, path := range []string{"/owners", "/keys", "/audit", "/system", "/inbound", "/receiver", "/events/new", "/sign-in", "/as/" + theirs.ID + "/"} {
			require.Equal(t, http.StatusNotFound, b.get("/portal"+path).status, path)
		}
		require.True(t, strings.HasPrefix(b.get("/console/deliveries").path, "/console/sign-in"), "the portal's session is none of the console")
		require.Equal(t, http.StatusForbidden, b.post("/portal/call", url.Values{"_call": {"POST /api/events"}, "event": {"x"}, "data:json": {"1"}}, "HX-Request", "true").status)
		require.Equal(t, http.StatusNoContent, b.post("/portal/call", url.Values{"_call": {"PATCH /api/webhooks/" + ids[1]}, "description": {"ours"}}, "HX-Request", "true").status)
		require.Equal(t, http.StatusNotFound, b.post("/portal/call", url.Values{"_call": {"PATCH /api/webhooks/" + ids[4]}, "description": {"ours"}}, "HX-Request", "true").status)
		b.post("/portal/sign-out", nil)
		require.Equal(t, http.StatusUnauthorized, b.get("/portal/deliveries").status)
	})
}

// A link opens the portal once.
func TestPortalLinksOpenOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	link := s.portalLink(models.DefaultOwnerID, "")
	require.Equal(t, http.StatusNoContent, s.browser().post("/portal/open", url.Values{"link": {link}}).status)
	require.Equal(t, http.StatusUnauthorized, s.browser().post("/portal/open", url.Values{"link": {link}}).status)
	require.Equal(t, http.StatusUnauthorized, s.browser().post("/portal/open", url.Values{"link": {"x"}}).status)
	require.Equal(t, http.StatusForbidden, s.browser().post("/portal/open", url.Values{"link": {link}}, "Sec-Fetch-Site", "cross-site").status)
}

// Who may only look has no buttons, and who may not see payloads sees none.
func TestPortalRights(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	mine := storetest.Owner(t, s.store, "mine")
	storetest.Webhook(t, s.store, func(w *models.Webhook) { w.OwnerID = mine.ID })
	published := storetest.Publish(t, s.store, models.Event{OwnerID: mine.ID, Type: "a", Data: []byte(`{"hidden":"payload"}`)})
	delivery, event := "/portal/deliveries/"+published.Deliveries[0].ID, "/portal/events/"+published.Event.ID
	for terms, sees := range map[string]struct{ payload, resend bool }{
		``: {true, true}, `{"role":"read"}`: {true, false}, `{"capabilities":[]}`: {false, false}, `{"capabilities":["resend"]}`: {false, true},
	} {
		b := s.inPortal(mine.ID, terms)
		require.Equal(t, sees.resend, strings.Contains(b.get(delivery).body, "/resend"), terms)
		require.Equal(t, sees.payload, strings.Contains(b.get(event).body, "payload"), terms)
	}
}

// The portal is in the frames that are allowed, and has the brand's name, logo and colour; the console is in none.
func TestPortalOfABrand(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), func(cfg *console.Config) {
		cfg.Brand = console.Brand{Name: "Acme <&>", LogoURL: "https://acme.example/logo.svg", Colour: "#7a2fd0"}
		cfg.FrameAncestors = []string{"https://app.acme.example", "http://127.0.0.1:3000"}
		cfg.PublicURL = "https://postrider.example"
	})
	door := s.browser().get("/portal/")
	policy := door.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "frame-ancestors https://app.acme.example http://127.0.0.1:3000")
	require.Contains(t, policy, "img-src 'self' data: https://acme.example")
	require.Empty(t, door.header.Get("X-Frame-Options"))
	require.Contains(t, door.body, "Acme &lt;&amp;&gt;")
	require.Contains(t, door.body, `src="https://acme.example/logo.svg"`)
	require.NotContains(t, door.body, "Postrider")
	require.Contains(t, s.browser().get("/portal/brand.css").body, "--accent: #7a2fd0")

	opened := s.browser().post("/portal/open", url.Values{"link": {s.portalLink(models.DefaultOwnerID, "")}})
	cookie := opened.header.Get("Set-Cookie")
	for _, attribute := range []string{"Path=/portal", "HttpOnly", "Secure", "SameSite=None", "Partitioned"} {
		require.Contains(t, cookie, attribute)
	}
	within := s.browser().get("/console/sign-in").header
	require.Contains(t, within.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.Equal(t, "DENY", within.Get("X-Frame-Options"))
	require.Contains(t, newSite(t, storetest.SQLite(t)).browser().get("/portal/").header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
}
