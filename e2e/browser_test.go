package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConsoleInABrowser does what an operator does on the first day: signs in, creates a webhook, tests it, publishes, watches
// the delivery fail and be tried again, resends it, rotates the secret and signs out, with hostile content everywhere.
func TestConsoleInABrowser(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	p := prepareProduction(t)
	p.start(t)
	const hostile = `<script>window.hacked=1</script><img src=x onerror="window.hacked=1">`
	var broken atomic.Bool
	target := newReceiver(t, func(int, *http.Request) answer {
		if broken.Load() {
			return answer{status: http.StatusInternalServerError, body: hostile}
		}
		return answer{status: http.StatusOK, body: hostile}
	})

	b.open(p.url + "/console/deliveries")
	b.fill("#key", "prk_wrong")
	b.click("main button")
	b.says("#fault", "the key is not valid")
	b.fill("#key", p.adminKey)
	b.click("main button")
	b.arrives(p.url + "/console/deliveries")
	b.says("#live", "No delivery yet")

	b.open(p.url + "/console/webhooks/new")
	b.fill("input[name=url]", "ftp://nonsense")
	b.fill(`input[name="events:lines"]`, "order.*")
	b.click("#live form[data-call] button.main")
	b.says("form .outcome", "url")
	b.fill("input[name=url]", target.url)
	b.click("#live form[data-call] button.main")
	b.says("#dialog", "whsec_")
	b.click("#dialog a.main")
	webhook := b.arrives(p.url + "/console/webhooks/wh_")

	b.click("#test > summary")
	b.click("#test button.main")
	b.says("body", "200")
	target.await(t, 1)

	broken.Store(true)
	b.open(p.url + "/console/events/new")
	b.fill("input[name=event]", "order.created")
	b.fill(`textarea[name="data:json"]`, `{"hostile": "</pre>`+strings.ReplaceAll(hostile, `"`, `\"`)+`"}`)
	b.click("#live form[data-call] button.main")
	b.arrives(p.url + "/console/events/evt_")
	b.click(`#live a[href*="/console/deliveries/dlv_"]`)
	delivery := b.arrives(p.url + "/console/deliveries/dlv_")
	b.says(".head", "failed")
	b.says(".explained", "The receiver answered 500.")

	broken.Store(false)
	b.click("form.act button.main")
	b.says(".head", "delivered") // by itself
	require.Equal(t, delivery, b.arrives(delivery))

	b.open(webhook)
	b.click("#rotate > summary")
	b.click("#rotate button.main")
	b.says("#dialog", "whsec_")

	for _, page := range []string{"/", "/deliveries", "/webhooks", "/events", "/event-types", "/inbound", "/recoveries", "/owners", "/keys", "/audit", "/system"} {
		b.open(p.url + "/console" + page)
		require.False(t, evaluated[bool](b, `"hacked" in window`), page)
		require.False(t, evaluated[bool](b, `document.documentElement.scrollWidth > innerWidth`), page)
	}
	b.click("header form button.quiet")
	b.arrives(p.url + "/console/sign-in")
	b.open(delivery)
	b.arrives(p.url + "/console/sign-in")
}

// TestPortalInABrowser opens the portal by its link, in a frame of an application that may show it and not in one of another, and
// not a second time.
func TestPortalInABrowser(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	var frame atomic.Value
	frame.Store("about:blank")
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!DOCTYPE html><title>application</title><iframe id="portal" width="1000" height="700" src="` + frame.Load().(string) + `"></iframe>`))
	}))
	t.Cleanup(application.Close)
	p := prepareProduction(t, "POSTRIDER_PORTAL_FRAME_ANCESTORS="+application.URL, `POSTRIDER_PORTAL_BRAND={"name":"Acme","colour":"#7a2fd0"}`)
	p.start(t)
	owner := p.newOwner(t, nil)
	target := newReceiver(t, always(http.StatusOK))
	p.newWebhook(t, owner, target.url, nil)
	p.await(t, p.send(t, owner, object{"n": 1}), "delivered")
	link := func() string {
		var made struct {
			URL string `json:"url"`
		}
		p.call(t, http.MethodPost, "/api/owners/"+owner+"/portal", nil, http.StatusCreated, &made)
		return made.URL
	}
	used := link()
	b.open(used)
	b.says("nav.sections", "Deliveries")
	b.says(".brand", "Acme")
	require.NotContains(t, b.arrives(p.url), "#")
	b.open(p.url + "/portal/deliveries")
	b.says("#live", "delivered")
	b.open(p.url + "/portal/owners")
	b.says("#door", "There is no such page.")
	b.open(p.url + "/portal/")
	b.click("header form button.quiet")
	b.says("#door", "Open this page with a link")
	b.open("about:blank")
	b.open(used)
	b.says("#door", "was used before")

	frame.Store(link())
	b.open(application.URL)
	require.True(t, evaluated[bool](b, `document.getElementById("portal").contentDocument === null`), "a frame of another origin")
}
