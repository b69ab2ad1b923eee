package console

import (
	"net/http"
	"strings"

	"github.com/postrider/postrider/console/view"
)

func (c *console) signInPage(w http.ResponseWriter, r *http.Request) {
	if link := r.URL.Query().Get("link"); link != "" {
		c.openLink(w, r, link)
		return
	}
	c.renderSignIn(w, r, http.StatusOK, "")
}

func (c *console) renderSignIn(w http.ResponseWriter, r *http.Request, status int, fault string) {
	c.render(w, r, status, view.SignIn(local(r.FormValue("next")), fault))
}

// openLink signs in whoever has a link, once.
func (c *console) openLink(w http.ResponseWriter, r *http.Request, link string) {
	token, err := c.Service.OpenLink(r.Context(), link, c.ClientAddress(r))
	if err != nil {
		c.renderSignIn(w, r, http.StatusUnauthorized, "This link was used before, or has ended. Ask for a new one, or sign in with an API key.")
		return
	}
	c.setSession(w, token)
	http.Redirect(w, r, local(r.URL.Query().Get("next")), http.StatusSeeOther)
}

// signIn begins a session with an API key. Whether the key is valid, the API says, which also counts and limits failures.
func (c *console) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	key := strings.TrimSpace(r.PostFormValue("key"))
	probe := r.Clone(r.Context())
	probe.Header.Set("Authorization", "Bearer "+key)
	answer := c.ask(&request{Request: probe}, call{Method: http.MethodGet, Path: "/api/deliveries?limit=1"})
	if !answer.good() {
		c.renderSignIn(w, r, answer.status, answer.problem().Detail)
		return
	}
	token, err := c.Service.SignIn(r.Context(), key, c.ClientAddress(r))
	if err != nil {
		c.fail(w, &request{Request: r}, err)
		return
	}
	c.setSession(w, token)
	http.Redirect(w, r, local(r.PostFormValue("next")), http.StatusSeeOther)
}

func (c *console) signOut(w http.ResponseWriter, r *request) {
	if err := c.Service.SignOut(r.Context(), r.who); err != nil {
		c.fail(w, r, err)
		return
	}
	c.clearSession(w, r.Request)
	if inPortal(r.Request) {
		c.goTo(w, r.Request, PortalBase+"/")
		return
	}
	if id := ownerOpened(r.Request); id != "" {
		c.goTo(w, r.Request, Base+"/owners/"+id)
		return
	}
	c.goTo(w, r.Request, Base+"/sign-in")
}
