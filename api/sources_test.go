package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

const stripeSecret, plainSecret = "whsec_of-stripe", "s3cret-of-8"

// sourceWith is the body of a new source with more members.
func sourceWith(scheme, secret, more string) string {
	return fmt.Sprintf(`{"name":"x","scheme":%q,"secret":%q%s}`, scheme, secret, more)
}

// fault expects a 422 about one field and returns what it says.
func (r reply) fault(location string) string {
	r.t.Helper()
	problem := r.problem(http.StatusUnprocessableEntity, "invalid")
	require.Len(r.t, problem.Errors, 1, r.body)
	require.Equal(r.t, location, problem.Errors[0].Location, r.body)
	return problem.Errors[0].Message
}

// standardSecret is one for the schemes whose secrets are base64.
func standardSecret(t testing.TB) string {
	t.Helper()
	secret, err := signature.NewSecret()
	require.NoError(t, err)
	return secret
}

func secretFor(t testing.TB, scheme string) string {
	t.Helper()
	switch scheme {
	case "postrider", "standard-webhooks":
		return standardSecret(t)
	case "stripe":
		return stripeSecret
	}
	return plainSecret
}

// A setting that would be ignored is refused, when a source is made and when it is changed.
func TestSettingsThatASchemeDoesNotUse(t *testing.T) {
	t.Parallel()
	s := newService(t)
	settings := map[string]struct{ value, usedBy string }{
		"header":      {`"X-Sign"`, "hmac"},
		"prefix":      {`"v1="`, "hmac"},
		"encoding":    {`"base64"`, "hmac"},
		"hash":        {`"sha512"`, "hmac"},
		"id_header":   {`"X-Id"`, "hmac"},
		"type_header": {`"X-Type"`, "hmac"},
		"id_field":    {`"event.id"`, "hmac standard-webhooks"},
		"type_field":  {`"event.type"`, "hmac standard-webhooks"},
		"tolerance":   {`"10m"`, "postrider standard-webhooks stripe slack"},
	}
	for _, scheme := range []string{"postrider", "standard-webhooks", "stripe", "github", "shopify", "slack", "hmac"} {
		secret, needed := secretFor(t, scheme), ""
		if scheme == "hmac" {
			needed = `,"header":"X-Signature"`
		}
		id := s.source(sourceWith(scheme, secret, needed))
		for name, setting := range settings {
			member := fmt.Sprintf("%q:%s", name, setting.value)
			more := needed + "," + member
			if name == "header" {
				more = "," + member
			}
			made := s.call(adminKey, "POST", "/api/sources", sourceWith(scheme, secret, more))
			changed := s.call(adminKey, "PATCH", "/api/sources/"+id, "{"+member+"}")
			if strings.Contains(" "+setting.usedBy+" ", " "+scheme+" ") {
				made.is(http.StatusCreated)
				shown, err := json.Marshal(changed.is(http.StatusOK).object()[name])
				require.NoError(t, err)
				require.Equal(t, setting.value, string(shown), name)
				continue
			}
			for _, reply := range []reply{made, changed} {
				require.Contains(t, reply.fault("body."+name), "scheme "+scheme+" does not use it", scheme)
			}
		}
	}
}

// Whatever a source was made with can be changed, with the same rules, and its URL stays.
func TestEverySettingOfASourceCanBeChanged(t *testing.T) {
	t.Parallel()
	s := newService(t)
	made := s.admin(http.StatusCreated, "POST", "/api/sources",
		sourceWith("hmac", plainSecret, `,"header":"X-Sing","id_header":"X-Ib","type_header":"X-Tybe","verify_token":"of-meta"`)).object()
	id := text(t, made, "id")
	changed := s.admin(http.StatusOK, "PATCH", "/api/sources/"+id, `{"name":"y","header":"X-Sign","prefix":"v1=","encoding":"base64",
		"hash":"sha512","id_header":null,"id_field":"event.id","type_header":null,"type_field":"event.type","verify_token":"another",
		"event_prefix":"shop","secrets":["s3cret-of-8","another-secret"]}`).object()
	require.Equal(t, made["url"], changed["url"])
	for name, want := range map[string]any{
		"name": "y", "header": "X-Sign", "prefix": "v1=", "encoding": "base64", "hash": "sha512", "id_header": nil,
		"id_field": "event.id", "type_header": nil, "type_field": "event.type", "event_prefix": "shop", "verify_token": "•••",
	} {
		require.Equal(t, want, changed[name], name)
	}
	cfg := signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"another-secret"}, HMAC: &signature.HMACConfig{
		Header: "X-Sign", Prefix: "v1=", Encoding: signature.EncodingBase64, Hash: signature.HashSHA512,
	}}
	body := `{"event":{"id":"7","type":"thing.done"}}`
	s.call("", "POST", "/webhooks/"+id, body, s.sign(cfg, body)...).is(http.StatusOK)
	require.Equal(t, "7", s.received()[0].ProviderID)
	require.Equal(t, "thing.done", s.received()[0].Type)
	challenge := func(token string) int {
		return s.call("", "GET", "/webhooks/"+id+"?hub.mode=subscribe&hub.challenge=42&hub.verify_token="+token, "").status
	}
	require.Equal(t, http.StatusOK, challenge("another"))
	require.Equal(t, http.StatusForbidden, challenge("of-meta"))
	s.admin(http.StatusOK, "PATCH", "/api/sources/"+id, `{"verify_token":null}`)
	require.Equal(t, http.StatusMethodNotAllowed, challenge("another"))

	for patch, location := range map[string]string{
		`{"header":null}`:                "body.header",
		`{"header":"X Sign"}`:            "body.header",
		`{"prefix":" v1="}`:              "body.prefix",
		`{"encoding":"octal"}`:           "body.encoding",
		`{"hash":"md5"}`:                 "body.hash",
		`{"id_field":"a..b"}`:            "body.id_field",
		`{"type_header":"a:b"}`:          "body.type_header",
		`{"verify_token":"•••"}`:         "body.verify_token",
		`{"verify_token":"a\n"}`:         "body.verify_token",
		`{"secrets":[]}`:                 "body.secret",
		`{"secret":null}`:                "body.secret",
		`{"scheme":"unknown"}`:           "body.scheme",
		`{"name":null}`:                  "body.name",
		`{"event_prefix":"a b"}`:         "body.event_prefix",
		`{"tolerance":"1h"}`:             "body.tolerance",
		`{"active":null}`:                "body.active",
		`{"secrets":["good-secret",""]}`: "body.secrets[1]",
	} {
		s.call(adminKey, "PATCH", "/api/sources/"+id, patch).fault(location)
	}
	// Another scheme takes other settings with it.
	s.admin(http.StatusOK, "PATCH", "/api/sources/"+id, `{"scheme":"github","header":null,"prefix":null,"encoding":null,"hash":null,
		"id_field":null,"type_field":null,"event_prefix":null}`)
	shown := s.admin(http.StatusOK, "GET", "/api/sources/"+id, "").object()
	require.Equal(t, "github", shown["scheme"])
	require.Equal(t, "github", shown["event_prefix"])
}

func TestToleranceOfASource(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for value, want := range map[string]string{`"5m"`: "5m", `90`: "1m30s", `"24h"`: "24h", `"1d"`: "24h", `1`: "1s"} {
		made := s.admin(http.StatusCreated, "POST", "/api/sources", sourceWith("stripe", stripeSecret, `,"tolerance":`+value)).object()
		require.Equal(t, want, made["tolerance"])
	}
	for _, value := range []string{`0`, `"0s"`, `-1`, `"25h"`, `86401`, `"5 minutes"`, `1.5`} {
		s.call(adminKey, "POST", "/api/sources", sourceWith("stripe", stripeSecret, `,"tolerance":`+value)).fault("body.tolerance")
	}
	s.call(adminKey, "POST", "/api/sources", sourceWith("stripe", stripeSecret, `,"tolerance_seconds":5`)).problem(http.StatusUnprocessableEntity, "invalid")
}

// A secret that can only ever give 401 is refused when it is set, with what is wrong with it.
func TestSecretsThatCannotBeRight(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, test := range []struct{ scheme, secret, says string }{
		{"github", "s3cret-of-8\n", "ends with a newline"},
		{"github", "s3cret-of-8\r", "ends with a carriage return"},
		{"github", " s3cret-of-8", "begins with a blank"},
		{"hmac", "s3cret-of-8\t", "ends with a tab"},
		{"shopify", "\ufeffs3cret-of-8", "begins with an invisible character (U+FEFF)"},
		{"slack", "s3cret-of-8\u00a0", "ends with an invisible character (U+00A0)"},
		{"stripe", "whsec_of-stripe ", "ends with a blank"},
		{"postrider", standardSecret(t) + "\n", "ends with a newline"},
		{"standard-webhooks", standardSecret(t) + " ", "ends with a blank"},
		{"stripe", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "begins with whsec_"},
		{"stripe", "rk_live_4eC39HqLyjWDarjtT1zdp7dc", "begins with whsec_"},
		{"postrider", "prk_0123456789abcdef", "whsec_"},
		{"postrider", "0123456789abcdef", "whsec_"},
		{"github", "ghp_0123456789abcdef", "field Secret"},
		{"shopify", "shpat_0123456789abcdef", "client secret"},
		{"slack", "xoxb-0123456789abcdef", "signing secret"},
		{"github", "s3cret-of-8\ns3cret-of-9", "has a newline inside, behind 11 bytes"},
		{"hmac", "s3cret-\u0085of-8", "has an invisible character (U+0085) inside"},
		{"stripe", "whsec_of stripe", "has a blank inside"},
		{"stripe", "whsec_of-stripé", `has "é" behind 14 bytes`},
		{"slack", "s3cret\u200b-of-8", "has an invisible character (U+200B) inside"},
		{"shopify", "s3cret-of-8 s3cret-of-9", "has a blank inside"},
		{"github", "7-bytes", "8 to 1024 bytes"},
		{"hmac", strings.Repeat("x", 1025), "8 to 1024 bytes"},
	} {
		more := ""
		if test.scheme == "hmac" {
			more = `,"header":"X-Sign"`
		}
		reply := s.call(adminKey, "POST", "/api/sources", sourceWith(test.scheme, test.secret, more))
		require.Contains(t, reply.fault("body.secret"), test.says, "%s %q", test.scheme, test.secret)
		id := s.source(sourceWith(test.scheme, secretFor(t, test.scheme), more))
		patch, err := json.Marshal(map[string][]string{"secrets": {secretFor(t, test.scheme), test.secret}})
		require.NoError(t, err)
		reply = s.call(adminKey, "PATCH", "/api/sources/"+id, string(patch))
		require.Contains(t, reply.fault("body.secrets[1]"), test.says)
	}
	// What was set before there were these rules is no fault of a patch of something else.
	source := models.Source{OwnerID: models.DefaultOwnerID, Name: "old", Scheme: "stripe", EventPrefix: "stripe", Active: true}
	require.NoError(t, s.store.CreateSource(t.Context(), &source, []string{"s"}))
	s.admin(http.StatusOK, "PATCH", "/api/sources/"+source.ID, `{"name":"new","active":false}`)
	s.call(adminKey, "PATCH", "/api/sources/"+source.ID, `{"tolerance":"1m"}`).problem(http.StatusUnprocessableEntity, "invalid")
}

func TestASourceHasFiveSecretsAtMost(t *testing.T) {
	t.Parallel()
	s := newService(t)
	secrets := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("a-secret-%d", i)
		}
		text, err := json.Marshal(list)
		require.NoError(t, err)
		return `"secrets":` + string(text)
	}
	made := s.admin(http.StatusCreated, "POST", "/api/sources", `{"name":"x","scheme":"github",`+secrets(5)+`}`).object()
	for _, n := range []int{6, 10_000} {
		for _, reply := range []reply{
			s.call(adminKey, "POST", "/api/sources", `{"name":"x","scheme":"github",`+secrets(n)+`}`),
			s.call(adminKey, "PATCH", "/api/sources/"+text(t, made, "id"), `{`+secrets(n)+`}`),
		} {
			require.Contains(t, reply.fault("body.secrets"), fmt.Sprintf("at most 5 secrets, not %d", n))
		}
	}
	s.call(adminKey, "POST", "/api/sources", `{"name":"x","scheme":"github","secret":"a-secret",`+secrets(5)+`}`).fault("body.secrets")
}
