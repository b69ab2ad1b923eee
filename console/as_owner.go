package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// An administrator can see the console as an owner sees it: under a path of its own for each owner, with a session that may no
// more than the owner, beside the administrator's. So a tab that shows an owner's pages can never do anything as the
// administrator, nor as another owner, whatever happens in other tabs.

// asCookieName is what browsers keep such a session under, for its path alone.
const asCookieName = "postrider_as_owner"

type asKey struct{}

// ownerOpened is the ID of the owner as whom a request's page is seen; empty for the pages of who has signed in.
func ownerOpened(r *http.Request) string {
	id, _ := r.Context().Value(asKey{}).(string)
	return id
}

// baseOf is the path that the pages of a request are under.
func baseOf(r *http.Request) string {
	if inPortal(r) {
		return PortalBase
	}
	if id := ownerOpened(r); id != "" {
		return asBase(id)
	}
	return Base
}

func asBase(ownerID string) string { return Base + "/as/" + ownerID }

// movedFrom is a request for a page under another base, as the request for the console's page that it is. A key and a value in
// its context say where it came from.
func movedFrom(base string, r *http.Request, key, value any) *http.Request {
	moved := r.WithContext(context.WithValue(r.Context(), key, value))
	address := *r.URL
	address.Path = Base + strings.TrimPrefix(address.Path, base)
	if address.RawPath != "" {
		address.RawPath = Base + strings.TrimPrefix(address.RawPath, base)
	}
	moved.URL = &address
	return moved
}

// asOwner serves all pages once more, under the path of an owner.
func (c *console) asOwner(pages http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("owner")
		if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || ownerOpened(r) != "" {
			http.NotFound(w, r)
			return
		}
		within := movedFrom(asBase(id), r, asKey{}, id)
		if within.URL.Path == Base+"/sign-in" { // nobody signs in as an owner
			c.goTo(w, r, Base+"/sign-in?"+url.Values{"next": {Base + "/owners/" + id}}.Encode())
			return
		}
		pages.ServeHTTP(w, within)
	}
}

// openAs begins to show the console as an owner.
func (c *console) openAs(w http.ResponseWriter, r *request) {
	owner, token, err := c.Service.OpenAsOwner(r.Context(), r.who, r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.SetCookie(w, c.cookie(asCookieName, c.sealed(token, asCookieName), asBase(owner.ID)))
	c.goTo(w, r.Request, asBase(owner.ID)+"/")
}

// ownerSessionOf returns who sees the console as an owner. The session counts only beside the administrator's own.
func (c *console) ownerSessionOf(r *http.Request, ownerID string) (service.Caller, error) {
	own, err := c.sessionIn(r, cookieName)
	if err != nil {
		return service.Caller{}, err
	}
	who, err := c.sessionIn(r, asCookieName)
	if err == nil && (who.As == nil || who.As.ID != ownerID || !own.Admin() || own.KeyID != who.KeyID) {
		err = models.ErrNotFound
	}
	if err != nil {
		return service.Caller{}, err
	}
	return who, nil
}
