package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

const movedSecret = "moved-in-0123456789"

// Further signatures are shown without their secrets, are changed as a list, and keep the secrets that are left out.
func TestFurtherSignatures(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		reply := s.admin(http.StatusCreated, "POST", "/api/webhooks", newHook(`,"signatures":[
			{"header":"X-Hub-Signature-256","prefix":"sha256=","secret":"`+movedSecret+`"},
			{"header":"X-Own","scheme":"hmac","hash":"sha512","encoding":"base64","signed":"{timestamp}.{body}","timestamp_header":"X-Own-Time","id_header":"X-Own-Id","secret":"other-secret"}]`))
		require.NotContains(t, reply.body, movedSecret)
		made := reply.object()
		want := []any{
			map[string]any{"header": "X-Hub-Signature-256", "scheme": "hmac", "hash": "sha256", "encoding": "hex", "prefix": "sha256=", "signed": "{body}"},
			map[string]any{"header": "X-Own", "scheme": "hmac", "hash": "sha512", "encoding": "base64", "prefix": "", "signed": "{timestamp}.{body}",
				"timestamp_header": "X-Own-Time", "id_header": "X-Own-Id"},
		}
		require.Equal(t, want, made["signatures"])
		id := text(t, made, "id")
		for _, path := range []string{"/api/webhooks/" + id, "/api/webhooks", "/api/webhooks/" + id + "?include=headers"} {
			require.NotContains(t, s.admin(http.StatusOK, "GET", path, "").body, movedSecret)
		}
		require.Equal(t, []string{movedSecret, "other-secret"}, s.signatureSecrets(id))

		shown := s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"signatures":[{"header":"x-own"},{"header":"X-New","secret":"new-secret"}]}`).object()
		require.Len(t, shown["signatures"], 2)
		require.Equal(t, []string{"other-secret", "new-secret"}, s.signatureSecrets(id))
		s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"description":"stay"}`)
		require.Equal(t, []string{"other-secret", "new-secret"}, s.signatureSecrets(id))
		shown = s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"signatures":null}`).object()
		require.Empty(t, shown["signatures"])
		stored, err := s.store.Webhook(t.Context(), models.Scope{}, id)
		require.NoError(t, err)
		require.Nil(t, stored.SealedCredentials)
	})
}

// signatureSecrets are the stored secrets of a webhook's further signatures.
func (s *server) signatureSecrets(id string) []string {
	s.t.Helper()
	stored, err := s.store.Webhook(s.t.Context(), models.Scope{}, id)
	require.NoError(s.t, err)
	credentials, err := s.store.OpenCredentials(stored)
	require.NoError(s.t, err)
	var secrets []string
	for _, signature := range credentials.Signatures {
		secrets = append(secrets, signature.Secret)
	}
	return secrets
}

func TestFurtherSignaturesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newService(t)
	path := "/api/webhooks/" + s.webhook(adminKey, "a")
	one := func(members string) string { return `"signatures":[{` + members + `}]` }
	good := `"header":"X-Own","secret":"` + movedSecret + `"`
	for body, want := range map[string]struct{ location, says string }{
		one(`"header":"X-Own"`):                                                 {"signatures[0].secret", "verifies with"},
		one(`"header":"X-Own","secret":"•••"`):                                  {"signatures[0].secret", "is not shown"},
		one(`"header":"X-Own","secret":"short"`):                                {"signatures[0].secret", "8 to 1024"},
		one(`"header":"X-Own","secret":"` + movedSecret + ` "`):                 {"signatures[0].secret", "ends with a blank"},
		one(`"header":"X Own","secret":"` + movedSecret + `"`):                  {"signatures[0].header", "name of a header"},
		one(`"header":"X_Own","secret":"` + movedSecret + `"`):                  {"signatures[0].header", "without _"},
		one(`"header":"Host","secret":"` + movedSecret + `"`):                   {"signatures[0].header", "set by Postrider"},
		one(`"header":"Webhook-Signature","secret":"` + movedSecret + `"`):      {"signatures[0].header", "kept for Postrider"},
		one(good + `,"timestamp_header":"X-Webhook-Time"`):                      {"signatures[0].timestamp_header", "kept for Postrider"},
		one(good + `,"id_header":"x-own"`):                                      {"signatures[0].header", "twice"},
		one(good + `,"prefix":"{body}"`):                                        {"signatures[0].prefix", "{timestamp} and {id}"},
		one(good + `,"prefix":" x"`):                                            {"signatures[0].prefix", "visible ASCII"},
		one(good + `,"signed":"{timestamp}"`):                                   {"signatures[0].signed", "{body} once"},
		one(good + `,"signed":"{body}{body}"`):                                  {"signatures[0].signed", "{body} once"},
		one(good + `,"signed":"{url}.{body}"`):                                  {"signatures[0].signed", "no braces"},
		one(good + `,"hash":"md5"`):                                             {"signatures[0].hash", ""},
		one(good + `,"scheme":"rsa"`):                                           {"signatures[0].scheme", ""},
		one(good + `,"encoding":"base32"`):                                      {"signatures[0].encoding", ""},
		one(good + `,"secret_encoding":"hex"`):                                  {"signatures[0].secret_encoding", ""},
		one(good + `,"secret_encoding":"base64"`):                               {"signatures[0].secret_encoding", "not base64"},
		one(good + `,"unknown":1`):                                              {"signatures[0].unknown", ""},
		`"signatures":[{` + good + `},{` + good + `}]`:                          {"signatures[1].header", "twice"},
		`"signatures":[` + strings.Repeat(`{`+good+`},`, 3) + `{` + good + `}]`: {"signatures", "at most 3"},
		one(good) + `,"headers":{"x-own":"1"}`:                                  {"headers.x-own", "signature"},
		`"format":"cloudevents","headers":{"ce-id":"1"}`:                        {"headers.ce-id", "format"},
	} {
		for _, reply := range []reply{
			s.call(adminKey, "POST", "/api/webhooks", newHook(","+body)), s.call(adminKey, "PATCH", path, "{"+body+"}"),
		} {
			problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body."+want.location, problem.Errors[0].Location, "%s: %s", body, reply.body)
			require.Contains(t, problem.Errors[0].Message, want.says, body)
			require.NotContains(t, reply.body, movedSecret)
		}
	}
	// Each change by itself must go together with what is there.
	s.admin(http.StatusOK, "PATCH", path, `{`+one(good)+`}`)
	s.call(adminKey, "PATCH", path, `{"headers":{"X-OWN":"1"}}`).problem(http.StatusUnprocessableEntity, "invalid")
	s.admin(http.StatusOK, "PATCH", path, `{"headers":{"ce-id":"1"}}`)
	s.call(adminKey, "PATCH", path, `{"format":"cloudevents"}`).problem(http.StatusUnprocessableEntity, "invalid")
}
