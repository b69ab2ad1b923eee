package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// request is a request of somebody who has signed in.
type request struct {
	*http.Request
	who service.Caller
}

// page makes what a page shows for a request.
type page func(r *request) (view.Page, error)

// errNoPage says that there is no such page.
var errNoPage = errors.New("there is no such page")

// show answers with a page.
func (c *console) show(of page) func(http.ResponseWriter, *request) {
	return func(w http.ResponseWriter, r *request) {
		shown, err := of(r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		c.renderTo(w, r, cmp.Or(shown.Status, http.StatusOK), view.Framed(c.frame(r), shown))
	}
}

// frame is what stands around every page.
func (c *console) frame(r *request) view.Frame {
	frame := view.Frame{
		Base: baseOf(r.Request), Path: r.URL.Path, Admin: r.who.Admin(), Role: string(r.who.Role), Version: c.Version, Receiver: c.Receiver != nil,
		Position: c.hub.position(),
	}
	if r.who.As != nil {
		frame.As = r.who.As.Name
	}
	if r.who.Portal {
		frame.Portal, frame.Brand = true, c.brand()
	}
	full := r.who.Role == models.RoleFull
	frame.Changes, frame.Resends = full && r.who.Can(models.CapabilityCreate), full && r.who.Can(models.CapabilityResend)
	frame.Payloads = r.who.Can(models.CapabilityPayloads)
	return frame
}

// fail answers with a page that says what went wrong.
func (c *console) fail(w http.ResponseWriter, r *request, err error) {
	status, text := http.StatusInternalServerError, "Something went wrong inside Postrider. Its log has the details."
	var (
		fields   service.FieldsError
		role     *service.RoleError
		notFound *service.NotFoundError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return // whoever has asked is gone
	case errors.Is(err, errNoPage):
		status, text = http.StatusNotFound, "There is no such page."
	case errors.As(err, &notFound):
		status, text = http.StatusNotFound, "There is no "+notFound.What()+" "+notFound.ID+"."
	case errors.Is(err, models.ErrNotFound):
		status, text = http.StatusNotFound, "There is no such thing, or it is not yours."
	case errors.Is(err, models.ErrOwnerSuspended):
		status, text = http.StatusConflict, "The owner is suspended, and sees nothing of the console."
	case errors.As(err, &role), errors.Is(err, service.ErrAdminsOnly):
		status, text = http.StatusForbidden, "This page is not for the key that you signed in with: "+err.Error()+"."
	case errors.As(err, &fields), errors.Is(err, models.ErrBadCursor):
		status, text = http.StatusUnprocessableEntity, "The address of this page asks for something that cannot be: "+err.Error()+"."
	case service.Unavailable(err) != "":
		status, text = http.StatusServiceUnavailable, service.Unavailable(err)+" is not available at present. Try again."
		c.Logger.WarnContext(r.Context(), service.Unavailable(err)+" is not available", "error", err)
	default:
		c.Logger.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
	}
	shown := view.Page{Title: http.StatusText(status), Body: view.Fault(text)}
	if r.who.Role == "" {
		c.render(w, r.Request, status, view.Alone(shown))
		return
	}
	c.renderTo(w, r, status, view.Framed(c.frame(r), shown))
}

func (c *console) renderTo(w http.ResponseWriter, r *request, status int, of templ.Component) {
	c.render(w, r.Request, status, of)
}

// render writes a page, or a part of one. It is made before anything is sent, so that what fails is no half page.
func (c *console) render(w http.ResponseWriter, r *http.Request, status int, of templ.Component) {
	var text bytes.Buffer
	ctx := view.WithLanguage(r.Context(), view.Language(r.Header.Get("Accept-Language")))
	if err := of.Render(ctx, &text); errors.Is(err, context.Canceled) {
		return // whoever has asked is gone
	} else if err != nil {
		c.Logger.ErrorContext(r.Context(), "page not rendered", "path", r.URL.Path, "error", err)
		http.Error(w, "Something went wrong inside Postrider. Its log has the details.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // it fails only when the connection is gone
}
