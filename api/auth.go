package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

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
			s.refuse(api, c, s.fail(c.Context(), err))
			return
		}
		next(huma.WithValue(c, principalKey{}, who))
	}
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
	if err != nil {
		return principal{}, err
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
