package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// The portal has the pages of the console that are of use to an owner's people, under a path of its own, with a session that a
// link begins. The link's secret is a fragment, which browsers send to nobody: a script sends it on.

// PortalBase is the path that the pages of the portal are under.
const PortalBase = "/portal"

// portalCookie is what browsers keep a session of the portal under.
const portalCookie = "postrider_portal"

// portalPages are the paths of the console that the portal has, too.
var portalPages = []string{
	"GET /{$}", "GET /deliveries", "GET /deliveries/{id}", "GET /webhooks", "GET /webhooks/new", "GET /webhooks/{id}", "GET /webhooks/{id}/edit",
	"GET /events", "GET /events/{id}", "GET /events/{id}/data", "GET /event-types", "GET /event-types/{name}",
	"GET /recoveries", "GET /recoveries/{id}", "GET /live", "POST /call", "POST /curl", "POST /sign-out",
}

type portalKey struct{}

// inPortal says whether a request is for the portal.
func inPortal(r *http.Request) bool { return r.Context().Value(portalKey{}) != nil }

// portal serves the pages of the console that the portal has.
func (c *console) portal(pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	within := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(w, movedFrom(PortalBase, r, portalKey{}, true))
	})
	for _, pattern := range portalPages {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" "+PortalBase+path, within)
	}
	mux.HandleFunc("POST "+PortalBase+"/open", c.openPortal)
	mux.HandleFunc("GET "+PortalBase+"/brand.css", c.brandStyle)
	missing := func(w http.ResponseWriter, r *http.Request) {
		c.render(w, r, http.StatusNotFound, view.PortalDoor(c.brand(), "There is no such page."))
	}
	mux.HandleFunc(PortalBase+"/", missing)
	for path := range c.pages() {
		if !slices.Contains(portalPages, "GET "+path) {
			mux.HandleFunc("GET "+PortalBase+path, missing) // or it would be taken for the page of something called new
		}
	}
	return mux
}

// openPortal begins the session of a link.
func (c *console) openPortal(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	token, err := c.Service.OpenLink(r.Context(), r.PostFormValue("link"), c.ClientAddress(r))
	switch {
	case errors.Is(err, models.ErrNotFound), errors.Is(err, models.ErrOwnerSuspended):
		http.Error(w, "this link was used before, or has ended", http.StatusUnauthorized)
	case err != nil:
		c.fail(w, &request{Request: r}, err)
	default:
		http.SetCookie(w, c.portalCookie(c.sealed(token, portalCookie)))
		w.WriteHeader(http.StatusNoContent)
	}
}

// portalCookie is kept by browsers also in a frame of another site, apart for each site that has such a frame; they do that over
// HTTPS only.
func (c *console) portalCookie(value string) *http.Cookie {
	cookie := c.cookie(portalCookie, value, PortalBase)
	if c.secure {
		cookie.SameSite, cookie.Partitioned = http.SameSiteNoneMode, true
	}
	return cookie
}

// portalSessionOf returns who has a session of the portal.
func (c *console) portalSessionOf(r *http.Request) (service.Caller, error) {
	who, err := c.sessionIn(r, portalCookie)
	if err == nil && !who.Portal {
		err = models.ErrNotFound
	}
	return who, err
}

// door is what somebody sees who has no session of the portal: a script opens the link, if the address has one.
func (c *console) door(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") != "" {
		c.goTo(w, r, PortalBase+"/")
		return
	}
	c.render(w, r, http.StatusUnauthorized, view.PortalDoor(c.brand(), "Open this page with a link, which signs in once. Where you got the last one, there is another."))
}

func (c *console) brand() view.Brand {
	brand := view.Brand{Name: c.Brand.Name, LogoURL: c.Brand.LogoURL}
	if c.Brand.Colour != "" {
		brand.Style = PortalBase + "/brand.css?" + url.Values{"colour": {c.Brand.Colour}}.Encode()
	}
	return brand
}

func (c *console) brandStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write([]byte(c.Brand.style()))
}
