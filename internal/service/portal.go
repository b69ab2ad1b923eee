package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// How long a link to the portal may wait for its use.
const (
	defaultPortalLink  = time.Hour
	shortestPortalLink = time.Minute
)

// NewPortalLink describes a link that signs in to an owner's portal.
type NewPortalLink struct {
	// ExpiresIn is how long the link may wait for its use; an hour when it is not set.
	ExpiresIn Duration
	// Role is full or read; full when empty.
	Role models.Role
	// Capabilities are what the people may do beside looking; nil for all that the role allows.
	Capabilities []models.Capability
}

// PortalLink is a link that signs in to an owner's portal, once.
type PortalLink struct {
	SessionID, OwnerID string
	// Token is the secret part of the link.
	Token     string
	ExpiresAt time.Time
}

// CreatePortalLink makes a link that signs in to an owner's portal, once and within a time.
func (s *Service) CreatePortalLink(ctx context.Context, who Caller, owner string, in NewPortalLink) (PortalLink, error) {
	link, err := loadOwner(ctx, s, who, owner, func(ctx context.Context, ownerID string) (PortalLink, error) {
		found, err := s.ownerToOpen(ctx, who, ownerID)
		if err != nil {
			return PortalLink{}, err
		}
		var wrong faults
		within := wrong.durationOr("expires_in", in.ExpiresIn, defaultPortalLink, shortestPortalLink, maxLinkLife)
		role, capabilities := wrong.portalRights(in)
		if err := wrong.err(); err != nil {
			return PortalLink{}, err
		}
		token, until := models.NewSessionToken(), s.now().Add(within)
		session := models.Session{
			OwnerID: found.ID, Role: role, Portal: true, Capabilities: capabilities, LinkHash: models.HashAPIKey(token), LinkUntil: &until, ExpiresAt: until,
		}
		if err := s.store.CreateSession(ctx, &session); err != nil {
			return PortalLink{}, err
		}
		return PortalLink{SessionID: session.ID, OwnerID: found.ID, Token: token, ExpiresAt: *session.LinkUntil}, nil
	})
	if err == nil {
		s.audit(ctx, who, "create-portal-link", link.OwnerID, link.OwnerID)
	}
	return link, err
}

// durationOr is duration for a field that has a value of its own when it is left out.
func (f *faults) durationOr(location string, of Duration, otherwise, least, most time.Duration) time.Duration {
	if !of.Set {
		return otherwise
	}
	return f.duration(location, of, least, most)
}

// portalRights are the role and the capabilities of a link.
func (f *faults) portalRights(in NewPortalLink) (models.Role, []models.Capability) {
	possible := models.Capabilities()
	switch in.Role {
	case "", models.RoleFull:
		in.Role = models.RoleFull
	case models.RoleRead:
		possible = []models.Capability{models.CapabilityPayloads}
	default:
		f.add("role", "expected full or read")
		return "", nil
	}
	if in.Capabilities == nil {
		return in.Role, possible
	}
	for _, one := range in.Capabilities {
		if !slices.Contains(possible, one) {
			f.add("capabilities", "expected some of "+capabilityNames(possible)+", as the role "+string(in.Role)+" allows")
			return "", nil
		}
	}
	return in.Role, in.Capabilities
}

func capabilityNames(of []models.Capability) string {
	names := make([]string, len(of))
	for i, one := range of {
		names[i] = string(one)
	}
	return strings.Join(names, ", ")
}

// EndPortalSessions signs everyone out of an owner's portal, and ends the links that were not used yet. It returns how many
// there were.
func (s *Service) EndPortalSessions(ctx context.Context, who Caller, owner string) (ended int64, err error) {
	id, err := loadOwner(ctx, s, who, owner, func(ctx context.Context, ownerID string) (string, error) {
		if err := onlyAdmins(who); err != nil {
			return "", err
		}
		ended, err = s.store.EndPortalSessions(ctx, ownerID)
		return ownerID, err
	})
	if err == nil {
		s.audit(ctx, who, "end-portal-sessions", id, id)
	}
	return ended, err
}

// portalCaller is who has a session of the portal. The owner is asked for each time, so that a suspension counts at once.
func (s *Service) portalCaller(ctx context.Context, session models.Session) (Caller, error) {
	owner, err := s.store.Owner(ctx, session.OwnerID)
	if err == nil && !owner.Active {
		err = models.ErrOwnerSuspended
	}
	if err != nil {
		return Caller{}, err
	}
	return Caller{
		OwnerID: owner.ID, KeyID: session.ID, Role: session.Role, SessionID: session.ID, Portal: true, Capabilities: session.Capabilities,
	}, nil
}
