package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/postrider/postrider/models"
)

// principal is who asks: an owner, or an administrator when ownerID is empty.
type principal struct {
	ownerID string
	keyID   string
}

func (p principal) admin() bool { return p.ownerID == "" }

func (p principal) scope() models.Scope { return models.Scope{OwnerID: p.ownerID} }

type principalKey struct{}

// whoAsks returns the principal that authenticate found.
func whoAsks(ctx context.Context) principal {
	who, ok := ctx.Value(principalKey{}).(principal)
	if !ok {
		// Never an administrator by accident.
		panic("api: a handler without authentication")
	}
	return who
}

// authenticate lets requests with a valid key through.
func (s *server) authenticate(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who, err := s.principalOf(c.Context(), c.Header("Authorization"))
		if err != nil {
			s.refuse(api, c, s.failed(c, s.fail(c.Context(), err)))
			return
		}
		if err := s.limit(c, who); err != nil {
			s.refuse(api, c, err)
			return
		}
		next(huma.WithValue(c, principalKey{}, who))
	}
}

// limit counts a request for its key, says in the answer what is left, and refuses what is too much.
func (s *server) limit(c huma.Context, who principal) error {
	if s.perKey == nil {
		return nil
	}
	quota := s.perKey.take(who.keyID)
	for name, values := range s.perKey.fields(quota) {
		c.SetHeader(name, values[0])
	}
	if quota.allowed {
		return nil
	}
	return tooMany(codeRateLimited, "this key makes too many requests; come back after the seconds in Retry-After", quota.reset)
}

// failed turns a 401 into a 429 when too many came from one address. It is asked only once a key is known to
// be wrong: strangers cannot lock out those who share an address with them.
func (s *server) failed(c huma.Context, err error) error {
	var problem *Problem
	if !errors.As(err, &problem) || problem.Status != http.StatusUnauthorized || c.Header("Authorization") == "" {
		return err
	}
	client := countedAs(clientOf(humagin.Unwrap(c).Request, s.TrustedProxies))
	s.auditFailedSignIn(c.Context(), client)
	if quota := s.perAddress.take(client); !quota.allowed {
		return tooMany(codeTooManyFailures, "too many requests without a valid key came from this address; "+
			"check the key, and come back after the seconds in Retry-After", quota.reset)
	}
	return err
}

func (s *server) refuse(api huma.API, c huma.Context, err error) {
	var problem *Problem
	if !errors.As(err, &problem) {
		return
	}
	if problem.Status == http.StatusUnauthorized {
		c.SetHeader("WWW-Authenticate", "Bearer")
	}
	for name, values := range problem.GetHeaders() {
		c.SetHeader(name, values[0])
	}
	c.SetHeader("Content-Type", problem.ContentType(""))
	c.SetStatus(problem.Status)
	if err := api.Marshal(c.BodyWriter(), "application/json", problem); err != nil {
		s.Logger.DebugContext(c.Context(), "answer not written", "error", err)
	}
}

func (s *server) principalOf(ctx context.Context, authorization string) (principal, error) {
	if authorization == "" {
		return principal{}, newProblem(http.StatusUnauthorized, codeUnauthorized,
			"this call needs a key: send the header Authorization: Bearer <key>")
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return principal{}, newProblem(http.StatusUnauthorized, codeUnauthorized,
			"the Authorization header is not of the form Bearer <key>")
	}
	if s.adminKeyHash != nil && subtle.ConstantTimeCompare(models.HashAPIKey(token), s.adminKeyHash) == 1 {
		return principal{keyID: "admin key"}, nil
	}
	key, err := s.Store.APIKeyByToken(ctx, token)
	if errors.Is(err, models.ErrNotFound) {
		return principal{}, newProblem(http.StatusUnauthorized, codeUnauthorized, "the key is not valid: it is mistyped or was revoked")
	}
	if errors.Is(err, models.ErrOwnerSuspended) {
		return principal{}, newProblem(http.StatusForbidden, codeOwnerSuspended,
			"the owner of this key is suspended; ask an administrator")
	}
	if err != nil {
		return principal{}, err
	}
	if s.KeyUsed != nil {
		s.KeyUsed(key.ID)
	}
	return principal{ownerID: key.OwnerID, keyID: key.ID}, nil
}

// adminOnly refuses owners.
func adminOnly(ctx context.Context) error {
	if whoAsks(ctx).admin() {
		return nil
	}
	return newProblem(http.StatusForbidden, codeForbidden, "only an administrator's key may do this")
}
