package service

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/postrider/postrider/models"
)

type sessionStore interface {
	CreateSession(ctx context.Context, session *models.Session) error
	OpenLink(ctx context.Context, link, token string, expiresAt time.Time) (models.Session, error)
	Session(ctx context.Context, id string) (models.Session, error)
	SessionByToken(ctx context.Context, token string) (models.Session, error)
	EndSession(ctx context.Context, id string) error
	EndPortalSessions(ctx context.Context, ownerID string) (int64, error)
}

const (
	// sessionLife is for how long somebody stays signed in.
	sessionLife = 12 * time.Hour
	// maxLinkLife bounds how long a link that signs in may wait for its use.
	maxLinkLife = 7 * 24 * time.Hour
	// openedLife is for how long an administrator sees the console as an owner does.
	openedLife = time.Hour
)

// Actions of the audit trail that are not operations of the API.
const (
	actionSignIn  = "sign-in"
	actionSignOut = "sign-out"
	actionOpenAs  = "open-as-owner"
)

// SignIn begins a session with a key, and returns what the browser proves it with. The session shows and does what the key may
// see and do, and ends with it. The errors are those of Authenticate.
func (s *Service) SignIn(ctx context.Context, key, address string) (token string, err error) {
	who, err := s.Authenticate(ctx, key)
	if err != nil {
		return "", err
	}
	token = models.NewSessionToken()
	session := models.Session{
		OwnerID: who.OwnerID, Role: who.Role, KeyHash: models.HashAPIKey(key), TokenHash: models.HashAPIKey(token), ExpiresAt: s.now().Add(sessionLife),
	}
	if err := s.store.CreateSession(ctx, &session); err != nil {
		return "", err
	}
	who.Address = address
	s.audit(ctx, who, actionSignIn, session.ID, who.OwnerID)
	return token, nil
}

// SignInLink makes a link that signs in once, as who has the key, within a time. It returns the secret part of the link.
func (s *Service) SignInLink(ctx context.Context, key string, within time.Duration) (link string, err error) {
	who, err := s.Authenticate(ctx, key)
	if err != nil {
		return "", err
	}
	link = models.NewSessionToken()
	until := s.now().Add(min(within, maxLinkLife))
	return link, s.store.CreateSession(ctx, &models.Session{
		OwnerID: who.OwnerID, Role: who.Role, KeyHash: models.HashAPIKey(key), LinkHash: models.HashAPIKey(link), LinkUntil: &until, ExpiresAt: until,
	})
}

// OpenLink begins the session of a link, and returns what the browser proves it with. A link that is unknown, was used or has
// ended is models.ErrNotFound.
func (s *Service) OpenLink(ctx context.Context, link, address string) (token string, err error) {
	token = models.NewSessionToken()
	session, err := s.store.OpenLink(ctx, link, token, s.now().Add(sessionLife))
	if err != nil {
		return "", err
	}
	who, err := s.callerOf(ctx, session)
	if err != nil {
		return "", err
	}
	who.Address = address
	s.audit(ctx, who, actionSignIn, session.ID, who.OwnerID)
	return token, nil
}

// SignedIn returns who has a session, by what the browser proves it with. One that has ended, or whose key has, is
// models.ErrNotFound, models.ErrKeyExpired or models.ErrOwnerSuspended.
func (s *Service) SignedIn(ctx context.Context, token string) (Caller, error) {
	session, err := s.store.SessionByToken(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	return s.callerOf(ctx, session)
}

// callerOf asks for the session's key anew each time, so that a session ends with it everywhere at once.
func (s *Service) callerOf(ctx context.Context, session models.Session) (Caller, error) {
	if session.Portal {
		return s.portalCaller(ctx, session)
	}
	who, err := s.callerWithHash(ctx, session.KeyHash)
	if err != nil {
		return Caller{}, err
	}
	who.SessionID = session.ID
	if session.OwnerID == who.OwnerID {
		return who, nil
	}
	owner, err := s.ownerToOpen(ctx, who, session.OwnerID)
	if err != nil {
		return Caller{}, err
	}
	who.OwnerID, who.As = owner.ID, &owner
	return who, nil
}

// OpenAsOwner begins a session in which an administrator, who is signed in, sees the console as an owner does, and may no more
// than the owner. It ends with the administrator's key, and is of the same role. It returns the owner, and what the browser
// proves the session with.
func (s *Service) OpenAsOwner(ctx context.Context, who Caller, name string) (owner models.Owner, token string, err error) {
	owner, err = loadOwner(ctx, s, who, name, func(ctx context.Context, id string) (models.Owner, error) { return s.ownerToOpen(ctx, who, id) })
	if err != nil {
		return models.Owner{}, "", err
	}
	own, err := s.store.Session(ctx, who.SessionID)
	if err != nil {
		return models.Owner{}, "", err
	}
	token = models.NewSessionToken()
	session := models.Session{
		OwnerID: owner.ID, Role: who.Role, KeyHash: own.KeyHash, TokenHash: models.HashAPIKey(token), ExpiresAt: s.now().Add(openedLife),
	}
	if err := s.store.CreateSession(ctx, &session); err != nil {
		return models.Owner{}, "", err
	}
	s.audit(ctx, who, actionOpenAs, owner.ID, owner.ID)
	return owner, token, nil
}

// ownerToOpen returns an owner as whom an administrator may see the console. A suspended one has no console: that is
// models.ErrOwnerSuspended.
func (s *Service) ownerToOpen(ctx context.Context, who Caller, id string) (models.Owner, error) {
	if err := onlyAdmins(who); err != nil {
		return models.Owner{}, err
	}
	owner, err := s.store.Owner(ctx, id)
	if err == nil && !owner.Active {
		err = models.ErrOwnerSuspended
	}
	return owner, err
}

// SignOut ends the caller's session.
func (s *Service) SignOut(ctx context.Context, who Caller) error {
	if who.SessionID == "" {
		return errors.New("sign out: the caller has no session")
	}
	if err := s.store.EndSession(ctx, who.SessionID); err != nil {
		return err
	}
	s.audit(ctx, who, actionSignOut, who.SessionID, who.OwnerID)
	return nil
}

// callerWithHash returns the caller that the key with a hash belongs to.
func (s *Service) callerWithHash(ctx context.Context, hash []byte) (Caller, error) {
	if s.adminKeyHash != nil && subtle.ConstantTimeCompare(hash, s.adminKeyHash) == 1 {
		return Caller{KeyID: adminKeyID, Role: models.RoleFull}, nil
	}
	found, err := s.store.APIKeyByHash(ctx, hash)
	if err != nil {
		return Caller{}, err
	}
	if s.keyUsed != nil {
		s.keyUsed(found.ID)
	}
	return Caller{OwnerID: found.OwnerID, KeyID: found.ID, Role: found.Role}, nil
}

type callerKey struct{}

// WithCaller returns a context of a request whose caller is known already: a part of this process that knows who has signed in
// asks with it, instead of with a key.
func WithCaller(ctx context.Context, who Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, who)
}

// CallerIn returns the caller that WithCaller put into a context.
func CallerIn(ctx context.Context) (Caller, bool) {
	who, ok := ctx.Value(callerKey{}).(Caller)
	return who, ok
}
