package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

type callerKey struct{}

// whoAsks returns the caller that authenticate found.
func whoAsks(ctx context.Context) service.Caller {
	who, ok := ctx.Value(callerKey{}).(service.Caller)
	if !ok {
		// Never an administrator by accident.
		panic("api: a handler without authentication")
	}
	return who
}

// authenticate lets requests with a valid key through.
func (s *server) authenticate(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		// The console has found out who has signed in before it makes the call.
		who, known := service.CallerIn(c.Context())
		if !known {
			var err error
			if who, err = s.callerOf(c.Context(), c.Header("Authorization")); err != nil {
				s.refuse(api, c, s.failed(c, s.fail(c.Context(), err)))
				return
			}
		}
		if problem := s.limit(c, who); problem != nil {
			s.refuse(api, c, problem)
			return
		}
		next(huma.WithValue(c, callerKey{}, who))
	}
}

// limit counts a request against the rate limit of its key, and refuses it when that is exceeded. The answer says what is
// left.
func (s *server) limit(c huma.Context, who service.Caller) *Problem {
	if s.perKey == nil {
		return nil
	}
	quota := s.perKey.Take(who.KeyID)
	for name, values := range quotaFields(s.perKey, quota) {
		c.SetHeader(name, values[0])
	}
	if quota.Allowed {
		return nil
	}
	return tooMany(codeRateLimited, "this key makes too many requests; come back after the seconds in Retry-After", quota.Reset)
}

// failed turns a 401 into a 429 when too many came from one address. It looks only at keys that are known to be wrong, so
// that nobody can lock out others who share their address.
func (s *server) failed(c huma.Context, problem *Problem) *Problem {
	if problem.Status != http.StatusUnauthorized || c.Header("Authorization") == "" {
		return problem
	}
	client := countedAs(clientOf(humagin.Unwrap(c).Request, s.TrustedProxies))
	s.Service.SignInFailed(c.Context(), client)
	if quota := s.perAddress.Take(client); !quota.Allowed {
		return tooMany(codeTooManyFailures, "too many requests without a valid key came from this address; "+
			"check the key, and come back after the seconds in Retry-After", quota.Reset)
	}
	return problem
}

// refuse answers a request that does not come to its handler.
func (s *server) refuse(api huma.API, c huma.Context, problem *Problem) {
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

// callerOf returns whose key a request has.
func (s *server) callerOf(ctx context.Context, authorization string) (service.Caller, error) {
	scheme, key, _ := strings.Cut(authorization, " ")
	switch {
	case authorization == "":
		return service.Caller{}, unauthorized("this call needs a key: send the header Authorization: Bearer <key>")
	case strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(key) == "":
		return service.Caller{}, unauthorized("the key is empty: send the header Authorization: Bearer <key>")
	case !strings.EqualFold(scheme, "Bearer") || key == "":
		return service.Caller{}, unauthorized("the Authorization header is not of the form Bearer <key>")
	}
	who, err := s.Service.Authenticate(ctx, key)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return service.Caller{}, unauthorized("the key is not valid: it is mistyped or was revoked")
	case errors.Is(err, models.ErrOwnerSuspended):
		return service.Caller{}, newProblem(http.StatusForbidden, codeOwnerSuspended, "the owner of this key is suspended; ask an administrator")
	}
	return who, err
}

func unauthorized(detail string) *Problem {
	return newProblem(http.StatusUnauthorized, codeUnauthorized, detail)
}
