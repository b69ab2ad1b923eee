package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// asPortal is the server as somebody who is signed in to the portal asks it: the caller is in the context of each request.
func (s *server) asPortal(who service.Caller) *server {
	s.t.Helper()
	of := *s
	of.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeHTTP(w, r.WithContext(service.WithCaller(r.Context(), who)))
	}))
	s.t.Cleanup(of.Close)
	return &of
}

// signInToPortal uses a link.
func (s *server) signInToPortal(of *service.Service, ownerID, terms string) service.Caller {
	s.t.Helper()
	link := text(s.t, s.admin(http.StatusCreated, "POST", "/api/owners/"+ownerID+"/portal", terms).object(), "url")
	secret, found := strings.CutPrefix(link, "https://postrider.example/portal/#")
	require.True(s.t, found, link)
	token, err := of.OpenLink(s.t.Context(), secret, "192.0.2.1")
	require.NoError(s.t, err)
	who, err := of.SignedIn(s.t.Context(), token)
	require.NoError(s.t, err)
	return who
}

// forPortal are the operations that people in the portal may call, by the capability that they need.
var forPortal = map[models.Capability][]string{
	"": {
		"list-webhooks", "get-webhook", "list-deliveries", "get-delivery", "list-attempts", "list-delivery-attempts", "list-events", "get-event",
		"list-event-types", "get-event-type", "list-recoveries", "get-recovery", "get-stats", "try-filter",
	},
	models.CapabilityCreate: {"create-webhook", "update-webhook", "delete-webhook", "rotate-secret"},
	models.CapabilityResend: {
		"resend-delivery", "cancel-delivery", "test-webhook", "recover-webhook", "pause-recovery", "resume-recovery", "cancel-recovery",
	},
}

// Every operation of the document is for people in the portal, with the capability that it needs, or is refused and does
// nothing.
func TestEveryOperationInThePortal(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	for _, of := range document.operations() {
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			of := newTemplate(t, document, of)
			s := newService(t)
			s.deliver()
			mine := s.newTenant("mine")
			s.settle()
			needed, may := models.Capability(""), false
			for capability, operations := range forPortal {
				if slices.Contains(operations, of.OperationID) {
					needed, may = capability, true
				}
			}
			ask := func(capabilities ...models.Capability) reply {
				who := service.Caller{
					OwnerID: mine.ids[typeid.KindOwner], KeyID: "ses_x", Role: models.RoleFull, SessionID: "ses_x", Portal: true, Capabilities: capabilities,
				}
				return s.asPortal(who).fill(of, "", mine, name{}, "")
			}
			before := s.state()
			if !may {
				ask(models.Capabilities()...).problem(http.StatusForbidden, "forbidden")
			} else if needed != "" {
				problem := ask(slices.DeleteFunc(models.Capabilities(), func(c models.Capability) bool { return c == needed })...).
					problem(http.StatusForbidden, "insufficient_role")
				require.Contains(t, problem.Detail, string(needed))
			}
			require.Empty(t, difference(before, s.state()), "nothing changes")
			if may {
				got := ask(needed)
				require.Less(t, got.status, 300, got.body)
			}
		})
	}
}

// Who may not see payloads sees neither the data of events nor what receivers answered, whatever is asked for.
func TestPortalWithoutPayloads(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mine := s.newTenant("mine")
	eventID, deliveryID := mine.ids[typeid.KindEvent], mine.ids[typeid.KindDelivery]
	require.NoError(t, s.db.Model(&models.Attempt{}).Where("delivery_id = ?", deliveryID).Update("response_body", []byte("answered")).Error)
	paths := []string{
		"/api/events/" + eventID, "/api/events?include=data", "/api/deliveries/" + deliveryID, "/api/attempts?include=response_body",
		"/api/deliveries/" + deliveryID + "/attempts?include=response_body",
	}
	for _, sees := range []bool{true, false} {
		who := service.Caller{OwnerID: mine.ids[typeid.KindOwner], KeyID: "ses_x", Role: models.RoleFull, Portal: true}
		if sees {
			who.Capabilities = []models.Capability{models.CapabilityPayloads}
		}
		portal, seen := s.asPortal(who), false
		for _, path := range paths {
			body := portal.call("", "GET", path, "").is(http.StatusOK).body
			seen = seen || strings.Contains(body, "mine") || strings.Contains(body, "answered")
			if sees {
				require.Regexp(t, "mine|answered", body, path)
			}
		}
		require.Equal(t, sees, seen)
	}
}

// A link signs in once and within its time, until the owner is suspended or everyone is signed out.
func TestPortalLinks(t *testing.T) {
	t.Parallel()
	var of *service.Service
	s := newServiceOn(t, storetest.SQLite(t), func(cfg *config) { cfg.made = func(made *service.Service) { of = made } })
	mine := s.newTenant("mine")
	path := "/api/owners/" + mine.ids[typeid.KindOwner]
	who := s.signInToPortal(of, mine.externalID, `{"role":"read"}`)
	require.True(t, who.Portal)
	require.Equal(t, mine.ids[typeid.KindOwner], who.OwnerID)
	require.Equal(t, models.RoleRead, who.Role)
	require.Equal(t, []models.Capability{models.CapabilityPayloads}, who.Capabilities)
	s.asPortal(who).call("", "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"]}`).problem(http.StatusForbidden, "insufficient_role")

	link, err := url.Parse(text(t, s.admin(http.StatusCreated, "POST", path+"/portal", `{"expires_in":"5m","capabilities":["resend"]}`).object(), "url"))
	require.NoError(t, err)
	token, err := of.OpenLink(t.Context(), link.Fragment, "")
	require.NoError(t, err)
	_, err = of.OpenLink(t.Context(), link.Fragment, "")
	require.ErrorIs(t, err, models.ErrNotFound, "used before")
	signedIn := func() error {
		_, err := of.SignedIn(t.Context(), token)
		return err
	}
	require.NoError(t, signedIn())
	s.admin(http.StatusOK, "PATCH", path, `{"active":false}`)
	require.ErrorIs(t, signedIn(), models.ErrOwnerSuspended)
	s.admin(http.StatusConflict, "POST", path+"/portal", "")
	s.admin(http.StatusOK, "PATCH", path, `{"active":true}`)
	require.NoError(t, signedIn())
	unused, err := url.Parse(text(t, s.admin(http.StatusCreated, "POST", path+"/portal", "").object(), "url"))
	require.NoError(t, err)
	s.admin(http.StatusNoContent, "DELETE", path+"/portal", "")
	require.ErrorIs(t, signedIn(), models.ErrNotFound)
	_, err = of.OpenLink(t.Context(), unused.Fragment, "")
	require.ErrorIs(t, err, models.ErrNotFound)

	late, err := url.Parse(text(t, s.admin(http.StatusCreated, "POST", path+"/portal", "").object(), "url"))
	require.NoError(t, err)
	require.NoError(t, s.db.Model(&models.Session{}).Where("link_hash = ?", models.HashAPIKey(late.Fragment)).Update("link_until", time.Now().UTC()).Error)
	_, err = of.OpenLink(t.Context(), late.Fragment, "")
	require.ErrorIs(t, err, models.ErrNotFound, "too late")
}

// Links that cannot be are refused with what to change.
func TestWrongPortalLinks(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id, key := s.owner("a")
	for body, location := range map[string]string{
		`{"expires_in":"1s"}`: "body.expires_in", `{"expires_in":"8d"}`: "body.expires_in", `{"role":"publish"}`: "body.role",
		`{"capabilities":["all"]}`: "body.capabilities[0]", `{"role":"read","capabilities":["resend"]}`: "body.capabilities",
	} {
		problem := s.call(adminKey, "POST", "/api/owners/"+id+"/portal", body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, location, problem.Errors[0].Location, body)
	}
	s.call(key, "POST", "/api/owners/"+id+"/portal", "").problem(http.StatusForbidden, "forbidden")
}
