package api_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
)

// keysOf are the public keys that the API lists, in the form of whpk_ keys.
func (s *server) keysOf(query string) []string {
	s.t.Helper()
	listed, ok := s.call("", "GET", "/api/keys/jwks"+query, "").is(http.StatusOK).object()["keys"].([]any)
	require.True(s.t, ok)
	keys := []string{}
	for _, listed := range listed {
		key, ok := listed.(map[string]any)
		require.True(s.t, ok)
		require.Equal(s.t, []any{"OKP", "Ed25519", "EdDSA", "sig"}, []any{key["kty"], key["crv"], key["alg"], key["use"]})
		require.Regexp(s.t, `^[\w-]{43}$`, key["kid"])
		raw, err := base64.RawURLEncoding.DecodeString(text(s.t, key, "x"))
		require.NoError(s.t, err)
		require.Len(s.t, raw, ed25519.PublicKeySize)
		keys = append(keys, "whpk_"+base64.StdEncoding.EncodeToString(raw))
	}
	return keys
}

// A webhook that signs with Ed25519 shows its public key, and anyone can list it: with earlier ones during their grace, and
// until the webhook is deleted.
func TestPublicKeysNeedNoKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		require.Empty(t, s.keysOf(""))
		plain := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(``)).object()
		require.Equal(t, []any{"hmac", nil}, []any{plain["signing"], plain["public_key"]})
		made := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(`,"signing":"ed25519"`)).object()
		require.Equal(t, "ed25519", made["signing"])
		secret, first := text(t, made, "secret"), text(t, made, "public_key")
		require.Regexp(t, `^whsk_[A-Za-z0-9+/]{86}==$`, secret)
		require.Regexp(t, `^whpk_[A-Za-z0-9+/]{43}=$`, first)
		private, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsk_"))
		require.NoError(t, err)
		require.Equal(t, first, "whpk_"+base64.StdEncoding.EncodeToString(private[32:]))
		id := text(t, made, "id")
		require.Equal(t, []string{first}, s.keysOf("?webhook_id="+id))
		require.Empty(t, s.keysOf("?webhook_id="+text(t, plain, "id")))

		other := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(`,"signing":"ed25519"`)).object()
		require.Equal(t, []string{text(t, other, "public_key"), first}, s.keysOf(""))

		path := "/api/webhooks/" + id
		rotated := s.admin(http.StatusOK, "POST", path+"/rotate-secret", `{"grace":"1h"}`).object()
		second := text(t, rotated, "public_key")
		require.Equal(t, []string{second, first}, s.keysOf("?webhook_id="+id))
		rotated = s.admin(http.StatusOK, "POST", path+"/rotate-secret", `{"grace":"1h","signing":"hmac","end_earlier":true}`).object()
		require.Equal(t, []any{"hmac", nil}, []any{rotated["signing"], rotated["public_key"]})
		require.Regexp(t, `^whsec_`, rotated["secret"])
		require.Equal(t, []string{second}, s.keysOf("?webhook_id="+id), "in its grace")
		rotated = s.admin(http.StatusOK, "POST", path+"/rotate-secret", `{"grace":"0s","signing":"ed25519","secret":"`+secret+`"}`).object()
		require.Equal(t, first, rotated["public_key"], "a key that is given is used as it is")
		require.Equal(t, []string{first, second}, s.keysOf("?webhook_id="+id))
		s.admin(http.StatusOK, "POST", path+"/rotate-secret", `{"grace":"0s","end_earlier":true}`)
		require.Len(t, s.keysOf("?webhook_id="+id), 1)
		s.admin(http.StatusNoContent, "DELETE", path, "")
		require.Empty(t, s.keysOf("?webhook_id="+id))
		require.Equal(t, []string{text(t, other, "public_key")}, s.keysOf(""))

		for _, query := range []string{"?webhook_id=", "?webhook_id=x", "?webhook_id=" + strings.Replace(id, "wh_", "own_", 1), "?other=1"} {
			s.call("", "GET", "/api/keys/jwks"+query, "").problem(http.StatusUnprocessableEntity, "invalid")
		}
	})
}

// A secret must be of the kind that signs.
func TestSecretOfTheOtherKind(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(`,"signing":"ed25519"`)).object()
	private, path := text(t, made, "secret"), "/api/webhooks/"+text(t, made, "id")
	broken := private[:20] + "AAAA" + private[24:]
	for body, says := range map[string]string{
		`"signing":"ed25519","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`:   "whsk_",
		`"signing":"ed25519","secret":"` + broken + `"`:                           "64 bytes",
		`"signing":"ed25519","secret":"whsk_AAAA"`:                                "64 bytes",
		`"secret":"` + private + `"`:                                              "set signing to ed25519",
		`"signing":"hmac","secret":"` + private + `"`:                             "set signing to ed25519",
		`"signing":"ed25519","secret":"` + text(t, made, "public_key") + `"`:      "whsk_",
		`"signing":"ed25519","secret":"` + strings.ToUpper(private[:5]) + `AAAA"`: "whsk_",
	} {
		for _, reply := range []reply{
			s.call(adminKey, "POST", "/api/webhooks", newHook(","+body)),
			s.call(adminKey, "POST", "/api/webhooks/"+s.webhook(adminKey, "a")+"/rotate-secret", "{"+body+"}"),
		} {
			problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body.secret", problem.Errors[0].Location)
			require.Contains(t, problem.Errors[0].Message, says, body)
		}
	}
	problem := s.call(adminKey, "PATCH", path, `{"signing":"hmac"}`).problem(http.StatusUnprocessableEntity, "invalid")
	require.Contains(t, problem.Errors[0].Message, "rotate-secret")
	s.call(adminKey, "PATCH", path, `{"signing":null}`).problem(http.StatusUnprocessableEntity, "invalid")
	require.Equal(t, "ed25519", s.admin(http.StatusOK, "PATCH", path, `{"signing":"ed25519"}`).object()["signing"])
	s.call(adminKey, "POST", "/api/webhooks", newHook(`,"signing":"rsa"`)).problem(http.StatusUnprocessableEntity, "invalid")
}
