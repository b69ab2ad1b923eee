package console

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// cookieName is what browsers keep a session under. Its value is sealed for it.
const cookieName = "postrider_session"

// setSession has the browser keep a session, until it is closed or signs out; the session itself ends earlier if need be.
func (c *console) setSession(w http.ResponseWriter, token string) {
	http.SetCookie(w, c.cookie(cookieName, c.sealed(token, cookieName), Base))
}

// clearSession has the browser forget the session of a request.
func (c *console) clearSession(w http.ResponseWriter, r *http.Request) {
	forgotten := c.cookie(cookieName, "", Base)
	if ownerOpened(r) != "" {
		forgotten = c.cookie(asCookieName, "", baseOf(r))
	}
	if inPortal(r) {
		forgotten = c.portalCookie("")
	}
	forgotten.MaxAge = -1
	http.SetCookie(w, forgotten)
}

func (c *console) cookie(name, value, path string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: path, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode}
}

// sealed is what a cookie has of a token: it is of use under its own name only.
func (c *console) sealed(token, name string) string {
	return base64.RawURLEncoding.EncodeToString(c.Keyring.Seal(token, name))
}

// sessionOf returns who a request's session belongs to. Without a valid one it is models.ErrNotFound, or the error that says
// why the session's key is not valid any more.
func (c *console) sessionOf(r *http.Request) (service.Caller, error) {
	if id := ownerOpened(r); id != "" {
		return c.ownerSessionOf(r, id)
	}
	if inPortal(r) {
		return c.portalSessionOf(r)
	}
	who, err := c.sessionIn(r, cookieName)
	if err == nil && who.Portal {
		err = models.ErrNotFound
	}
	return who, err
}

// sessionIn returns who the session in a cookie belongs to.
func (c *console) sessionIn(r *http.Request, name string) (service.Caller, error) {
	cookie, err := r.Cookie(name)
	if err != nil {
		return service.Caller{}, models.ErrNotFound
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return service.Caller{}, models.ErrNotFound
	}
	token, err := c.Keyring.Open(sealed, name)
	if err != nil {
		return service.Caller{}, models.ErrNotFound
	}
	return c.Service.SignedIn(r.Context(), token)
}

// signedIn lets through who has a session, and sends everyone else to sign in first.
func (c *console) signedIn(next func(http.ResponseWriter, *request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := c.sessionOf(r)
		switch {
		case err == nil:
			if err := who.May(models.RoleRead); err != nil {
				c.fail(w, &request{Request: r}, err)
				return
			}
			who.Address = c.ClientAddress(r)
			next(w, &request{Request: r.WithContext(service.WithCaller(r.Context(), who)), who: who})
		case errors.Is(err, models.ErrNotFound), errors.Is(err, models.ErrKeyExpired), errors.Is(err, models.ErrOwnerSuspended):
			c.clearSession(w, r)
			if inPortal(r) {
				c.door(w, r)
				return
			}
			c.goTo(w, r, signInAgain(r))
		default:
			c.fail(w, &request{Request: r}, err)
		}
	}
}

// signInAgain is where a session begins anew that has ended: where to sign in, or the page of the owner that was opened.
func signInAgain(r *http.Request) string {
	if id := ownerOpened(r); id != "" {
		return Base + "/owners/" + id
	}
	return Base + "/sign-in?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}

// goTo leads the browser to another page.
func (c *console) goTo(w http.ResponseWriter, r *http.Request, to string) {
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// local returns a path of the console that somebody asked to be led to, and the first page for anything else.
func local(to string) string {
	if parsed, err := url.Parse(to); err == nil && parsed.Scheme == "" && parsed.Host == "" && (strings.HasPrefix(parsed.Path, Base+"/") || strings.HasPrefix(parsed.Path, PortalBase+"/")) {
		return to
	}
	return Base + "/"
}
