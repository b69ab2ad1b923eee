package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

const signIn = "s1gn-1n-s3cr3t"

// asJSON is a text as JSON has it.
func asJSON(t testing.TB, text string) string {
	t.Helper()
	encoded, err := json.Marshal(text)
	require.NoError(t, err)
	return string(encoded)
}

// credentialsOf are the stored credentials of a webhook.
func (s *server) credentialsOf(id string) models.Credentials {
	s.t.Helper()
	stored, err := s.store.Webhook(s.t.Context(), models.Scope{}, id)
	require.NoError(s.t, err)
	credentials, err := s.store.OpenCredentials(stored)
	require.NoError(s.t, err)
	return credentials
}

// How a webhook signs in is masked when it is shown, and changed member by member.
func TestAuthOfAWebhook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		reply := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(`,"auth":{"basic":{"username":"`+signIn+`-user","password":"`+signIn+`"}}`))
		require.NotContains(t, reply.body, signIn)
		id := text(t, reply.object(), "id")
		path := "/api/webhooks/" + id
		for _, step := range []struct {
			patch string
			shown any
			want  *models.Auth
		}{
			{`{}`, map[string]any{"basic": map[string]any{"username": "•••", "password": "•••"}},
				&models.Auth{Basic: &models.BasicAuth{Username: signIn + "-user", Password: signIn}}},
			{`{"auth":{"basic":{"password":"other"}}}`, map[string]any{"basic": map[string]any{"username": "•••", "password": "•••"}},
				&models.Auth{Basic: &models.BasicAuth{Username: signIn + "-user", Password: "other"}}},
			{`{"auth":{"bearer":{"token":"` + signIn + `"}}}`, map[string]any{"bearer": map[string]any{"token": "•••"}},
				&models.Auth{Bearer: &models.BearerAuth{Token: signIn}}},
			{`{"auth":{"oauth2":{"token_url":"https://auth.example.com/token","client_id":"me","client_secret":"` + signIn + `","scopes":["a"]}}}`,
				map[string]any{"oauth2": map[string]any{"token_url": "https://auth.example.com/token", "client_id": "me", "client_secret": "•••",
					"scopes": []any{"a"}, "audience": "", "auth_method": "client_secret_basic"}},
				&models.Auth{OAuth2: &models.OAuth2{TokenURL: "https://auth.example.com/token", ClientID: "me", ClientSecret: signIn, Scopes: []string{"a"}}}},
			{`{"auth":{"oauth2":{"auth_method":"client_secret_post","audience":"them","scopes":[]}}}`,
				map[string]any{"oauth2": map[string]any{"token_url": "https://auth.example.com/token", "client_id": "me", "client_secret": "•••",
					"scopes": []any{}, "audience": "them", "auth_method": "client_secret_post"}},
				&models.Auth{OAuth2: &models.OAuth2{TokenURL: "https://auth.example.com/token", ClientID: "me", ClientSecret: signIn, Audience: "them",
					AuthMethod: "client_secret_post"}}},
			{`{"auth":null}`, nil, nil},
		} {
			reply := s.admin(http.StatusOK, "PATCH", path, step.patch)
			require.NotContains(t, reply.body, signIn)
			require.Equal(t, step.shown, reply.object()["auth"], step.patch)
			require.NotContains(t, s.admin(http.StatusOK, "GET", path+"?include=headers", "").body, signIn)
			require.Equal(t, step.want, s.credentialsOf(id).Auth, step.patch)
		}
	})
}

func TestAuthThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newService(t)
	path := "/api/webhooks/" + s.webhook(adminKey, "a")
	oauth := func(members string) string {
		return `"auth":{"oauth2":{"token_url":"https://auth.example.com/token","client_id":"me","client_secret":"` + signIn + `"` + members + `}}`
	}
	bearer := `"auth":{"bearer":{"token":"` + signIn + `"}}`
	for body, want := range map[string]struct{ location, says string }{
		`"auth":{}`: {"auth", "one of basic"},
		`"auth":{"basic":{"username":"u"},"bearer":{"token":"` + signIn + `"}}`: {"auth", "one of basic"},
		`"auth":{"basic":{"password":"` + signIn + `"}}`:                        {"auth.basic.username", "not empty"},
		`"auth":{"basic":{"username":"a:b","password":"` + signIn + `"}}`:       {"auth.basic.username", "no colon"},
		`"auth":{"basic":{"username":"a","password":"` + signIn + `\n"}}`:       {"auth.basic.password", "newline"},
		`"auth":{"bearer":{}}`:                                                          {"auth.bearer.token", "not empty"},
		`"auth":{"bearer":{"token":"•••"}}`:                                             {"auth.bearer.token", "not shown"},
		`"auth":{"bearer":{"token":"Bearer ` + signIn + `"}}`:                           {"auth.bearer.token", "visible ASCII"},
		`"auth":{"oauth2":{"token_url":"https://x.example/"}}`:                          {"auth.oauth2.client_id", "not empty"},
		strings.Replace(oauth(``), "https://auth.example.com", "ftp://x", 1):            {"auth.oauth2.token_url", "https://"},
		strings.Replace(oauth(``), "auth.example.com", "10.0.0.1", 1):                   {"auth.oauth2.token_url", "10.0.0.1"},
		oauth(`,"scopes":["a b"]`):                                                      {"auth.oauth2.scopes", "without blanks"},
		oauth(`,"auth_method":"none"`):                                                  {"auth.oauth2.auth_method", ""},
		bearer + `,"headers":{"authorization":"x"}`:                                     {"headers.authorization", "auth of the webhook"},
		bearer + `,"signatures":[{"header":"Authorization","secret":"` + signIn + `"}]`: {"signatures[0].header", "auth of the webhook"},
		`"tls":{"certificate":"x"}`:                                                     {"tls.key", "private key"},
		`"tls":{"key":"` + signIn + `"}`:                                                {"tls.certificate", "belongs to the key"},
		`"tls":{"certificate":"x","key":"` + signIn + `"}`:                              {"tls.certificate", "PEM"},
		`"tls":{"ca":"` + signIn + `"}`:                                                 {"tls.ca", "PEM"},
	} {
		for _, reply := range []reply{
			s.call(adminKey, "POST", "/api/webhooks", newHook(","+body)), s.call(adminKey, "PATCH", path, "{"+body+"}"),
		} {
			problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body."+want.location, problem.Errors[0].Location, "%s: %s", body, reply.body)
			require.Contains(t, problem.Errors[0].Message, want.says, body)
			require.NotContains(t, reply.body, signIn)
		}
	}
}

// What is shown of a certificate is whose it is and when it ends; what is wrong with it is said before it is needed.
func TestTLSOfAWebhook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		authority := egresstest.NewAuthority(t, "authority")
		end := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
		certificate, key := authority.Issue(t, "alice", end)
		otherCertificate, otherKey := authority.Issue(t, "bob", end)
		expired, expiredKey := authority.Issue(t, "carol", time.Now().Add(-time.Minute))
		tls := func(certificate, key string) string {
			return `"tls":{"certificate":` + asJSON(t, certificate) + `,"key":` + asJSON(t, key) + `}`
		}
		reply := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(","+tls(certificate, key)))
		require.NotContains(t, reply.body, "PRIVATE")
		made := reply.object()
		alice := map[string]any{"subject": "CN=alice", "issuer": "CN=authority", "expires_at": end.Format(time.RFC3339)}
		require.Equal(t, map[string]any{"certificate": alice, "ca": []any{}}, made["tls"])
		id := text(t, made, "id")
		path := "/api/webhooks/" + id
		shown := s.admin(http.StatusOK, "PATCH", path, `{"tls":{"ca":`+asJSON(t, authority.CA)+`}}`).object()
		of, ok := shown["tls"].(map[string]any)
		require.True(t, ok)
		require.Equal(t, alice, of["certificate"])
		require.Len(t, of["ca"], 1)
		require.Equal(t, &models.TLS{Certificate: certificate, Key: key, CA: authority.CA}, s.credentialsOf(id).TLS)
		for body, want := range map[string]struct{ location, says string }{
			`{` + tls(certificate, otherKey) + `}`:                                                {"tls.key", "does not belong"},
			`{"tls":{"certificate":` + asJSON(t, otherCertificate) + `}}`:                         {"tls.key", "does not belong"},
			`{` + tls(expired, expiredKey) + `}`:                                                  {"tls.certificate", "expired on"},
			`{` + tls(key, key) + `}`:                                                             {"tls.certificate", "no certificate"},
			`{` + tls(certificate, certificate) + `}`:                                             {"tls.key", "PRIVATE KEY"},
			`{` + tls(certificate, strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE")) + `}`: {"tls.key", "encrypted"},
			`{"tls":{"key":null}}`:                                                                {"tls.key", "belongs to the certificate"},
			`{"url":"http://example.com/"}`:                                                       {"tls", "http://"},
			`{"tls":{"ca":"` + strings.Repeat("x", 70000) + `"}}`:                                 {"tls.ca", "64 KiB"},
		} {
			problem := s.call(adminKey, "PATCH", path, body).problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body."+want.location, problem.Errors[0].Location, body)
			require.Contains(t, problem.Errors[0].Message, want.says, body)
		}
		shown = s.admin(http.StatusOK, "PATCH", path, `{"tls":{"certificate":null,"key":null}}`).object()
		require.Nil(t, shown["tls"].(map[string]any)["certificate"])
		require.Nil(t, s.admin(http.StatusOK, "PATCH", path, `{"tls":null}`).object()["tls"])
	})
}
