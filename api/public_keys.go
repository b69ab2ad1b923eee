package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/postrider/postrider/internal/ratelimit"
)

// JWKS is a JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037).
type JWKS struct {
	Keys []JWK `json:"keys"`
}

// JWK is a public key.
type JWK struct {
	KeyType   string `json:"kty" enum:"OKP"`
	Curve     string `json:"crv" enum:"Ed25519"`
	X         string `json:"x" doc:"The key's 32 bytes, in base64url."`
	ID        string `json:"kid" doc:"The key's thumbprint (RFC 7638)."`
	Algorithm string `json:"alg" enum:"EdDSA"`
	Use       string `json:"use" enum:"sig"`
}

// jwkOf describes a key. Its ID is the hash of its required members, in the order of their names.
func jwkOf(key []byte) JWK {
	x := base64.RawURLEncoding.EncodeToString(key)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return JWK{KeyType: "OKP", Curve: "Ed25519", X: x, ID: base64.RawURLEncoding.EncodeToString(sum[:]), Algorithm: "EdDSA", Use: "sig"}
}

type publicKeysInput struct {
	WebhookID string `query:"webhook_id" doc:"Only this webhook's keys: the present one, and earlier ones in their grace."`
}

type publicKeysOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         JWKS
}

// keysFresh is how long receivers may use a list of public keys: after a rotation both keys sign, for longer than that.
const keysFresh = "public, max-age=60"

// How often one address may ask for public keys, per second and at once.
const (
	keysRate  = 5
	keysBurst = 60
)

// limitKeyReads refuses an address that asks too often.
func limitKeyReads(s *server, open huma.API) func(huma.Context, func(huma.Context)) {
	limiter := ratelimit.New(keysRate, keysBurst, s.Now)
	return func(c huma.Context, next func(huma.Context)) {
		quota := limiter.Take(countedAs(clientOf(humagin.Unwrap(c).Request, s.TrustedProxies)))
		if !quota.Allowed {
			s.refuse(open, c, tooMany(codeRateLimited, "this address asks for public keys too often; keep them for a minute, as Cache-Control says", quota.Reset))
			return
		}
		next(c)
	}
}

// registerPublicKeys adds the one call that needs no key: receivers have none.
func (s *server) registerPublicKeys(open huma.API) {
	group := huma.NewGroup(open)
	group.UseMiddleware(limitKeyReads(s, open), s.checkParameters(open))
	of := operation{
		ID: "list-public-keys", Method: http.MethodGet, Path: "/api/keys/jwks", Tag: "Keys",
		Summary: "List the public keys of webhooks that sign with Ed25519", Status: http.StatusOK,
	}
	described := of.described()
	described.Security = []map[string][]string{}
	described.Errors = []int{http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	huma.Register(group, described, func(ctx context.Context, in *publicKeysInput) (*publicKeysOutput, error) {
		keys, err := s.Service.PublicKeys(ctx, in.WebhookID)
		if err != nil {
			return nil, s.fail(ctx, of.located(err))
		}
		return &publicKeysOutput{keysFresh, JWKS{objectsOf(keys, jwkOf)}}, nil
	})
}
