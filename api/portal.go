package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// portalPath is where the portal is; its links have their secret behind it, as a fragment, which browsers keep to themselves.
const portalPath = "/portal/#"

// PortalLink is a link that signs in to an owner's portal.
type PortalLink struct {
	URL       string    `json:"url" doc:"Signs in once, in a browser or in a frame. Whoever has it is signed in: it is shown only here."`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when the link may be used; whoever has used it stays signed in for up to 12 hours."`
}

type portalTerms struct {
	ExpiresIn    Duration            `json:"expires_in,omitempty" doc:"How long the link may wait for its use, such as 10m, from 1m to 7d; 1h when left out."`
	Role         models.Role         `json:"role,omitempty" enum:"full,read" doc:"What the people in the portal are: full, or read for who only looks; full when left out."`
	Capabilities []models.Capability `json:"capabilities,omitempty" nullable:"true" enum:"create,see_payloads,resend" maxItems:"3" doc:"What they may do beside looking: create (make, change and delete webhooks), see_payloads, resend (resend, cancel and recover deliveries, test webhooks); all that the role allows when left out. The role read allows see_payloads."`
}

type createPortalLinkInput struct {
	ID   string       `path:"id" doc:"The owner's ID, or its external_id."`
	Body *portalTerms `required:"false"`
}

func (s *server) registerPortal(api huma.API) {
	const tag = "Owners"
	register(s, api, operation{
		ID: "create-portal-link", InOneCommit: true, Method: http.MethodPost, Path: "/owners/{id}/portal", Tag: tag,
		Summary: "Make a link to an owner's portal", Status: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.createPortalLink)
	register(s, api, operation{
		ID: "end-portal-sessions", Method: http.MethodDelete, Path: "/owners/{id}/portal", Tag: tag,
		Summary: "Sign everyone out of an owner's portal", Status: http.StatusNoContent, Errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, s.endPortalSessions)
}

func (s *server) createPortalLink(ctx context.Context, who service.Caller, in *createPortalLinkInput) (*Output[PortalLink], error) {
	var of service.NewPortalLink
	if in.Body != nil {
		of = service.NewPortalLink{ExpiresIn: in.Body.ExpiresIn.Duration, Role: in.Body.Role, Capabilities: in.Body.Capabilities}
	}
	link, err := s.Service.CreatePortalLink(ctx, who, in.ID, of)
	return &Output[PortalLink]{PortalLink{URL: s.PublicURL + portalPath + link.Token, ExpiresAt: link.ExpiresAt.UTC()}}, err
}

func (s *server) endPortalSessions(ctx context.Context, who service.Caller, in *ownerPath) (*struct{}, error) {
	_, err := s.Service.EndPortalSessions(ctx, who, in.ID)
	return nil, err
}

// errNotInPortal says that a call is not for people in the portal.
var errNotInPortal = errors.New("this is not for the portal")

// inPortal has the operations that people in the portal may call, with the capability that they need beside the role; empty
// for none. What is not here is not for them.
var inPortal = map[string]models.Capability{
	"list-webhooks": "", "get-webhook": "", "list-deliveries": "", "get-delivery": "", "list-attempts": "", "list-delivery-attempts": "",
	"list-events": "", "get-event": "", "list-event-types": "", "get-event-type": "", "list-recoveries": "", "get-recovery": "",
	"get-stats": "", "try-filter": "",
	"create-webhook": models.CapabilityCreate, "update-webhook": models.CapabilityCreate, "delete-webhook": models.CapabilityCreate,
	"rotate-secret":   models.CapabilityCreate,
	"resend-delivery": models.CapabilityResend, "cancel-delivery": models.CapabilityResend, "test-webhook": models.CapabilityResend,
	"recover-webhook": models.CapabilityResend, "pause-recovery": models.CapabilityResend, "resume-recovery": models.CapabilityResend,
	"cancel-recovery": models.CapabilityResend,
}

// checkPortal refuses what is not for people in the portal, or what their link does not allow.
func checkPortal(who service.Caller, operationID string) error {
	if !who.Portal {
		return nil
	}
	needed, ok := inPortal[operationID]
	switch {
	case !ok:
		return errNotInPortal
	case needed != "" && !who.Can(needed):
		return newProblem(http.StatusForbidden, codeInsufficientRole, "the link to this portal does not allow that: it needs the capability "+string(needed))
	}
	return nil
}
