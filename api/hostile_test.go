package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// hostile are texts that programs and databases have stumbled over.
var hostile = map[string]string{
	"NUL": "\x00", "a NUL within": "a\x00b", "not UTF-8": "\xff\xfe", "a line feed": "a\r\nb: c",
	"SQL": `' OR 1=1 --`, "a template": `{{.}}${x}%s%n`, "long": strings.Repeat("x", 5000), "emoji": "\U0001F600", "empty": "",
}

// No text in any parameter or field is our fault. PostgreSQL is the stricter one of the databases.
func TestHostileTextIsNeverAnInternalError(t *testing.T) {
	t.Parallel()
	s := newServiceOn(t, testdb.Postgres(t))
	s.temporal.set(func(f *temporal) {
		f.end = func(deliveryID string) error {
			s.attempt(deliveryID, models.StatusDelivered)
			return nil
		}
	})
	document := s.document()
	ownerID, _ := s.owner("a")
	source := s.admin(http.StatusCreated, "POST", "/api/sources", `{"name":"x","scheme":"github","secret":"0123456789abcdef0123456789abcdef"}`).object()
	ids := map[string]string{
		"webhooks": s.webhook(adminKey, "*"), "owners": ownerID, "sources": text(t, source, "id"),
	}
	// What a field needs beside it to be looked at.
	valid := map[string]string{
		"POST /api/webhooks": `"url":"https://example.com","events":["a"]`,
		"POST /api/events":   `"event":"a","data":1`,
		"POST /api/owners":   `"name":"a"`,
		"POST /api/sources":  `"name":"a","scheme":"hmac","secret":"0123456789abcdef0123456789abcdef","header":"X-Sign"`,
	}
	tried := 0
	try := func(what, method, path, body string) {
		reply := s.call(adminKey, method, path, body)
		if reply.status >= http.StatusInternalServerError {
			t.Errorf("%s: %s %s %q: %s", what, method, path, body, reply.body)
		}
		tried++
	}
	document.operations(func(method, path string, operation documentOperation) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
		for name, value := range hostile {
			try(name, method, strings.ReplaceAll(path, "{id}", url.PathEscape(value+"x")), "{}")
		}
		path = strings.ReplaceAll(path, "{id}", ids[kind])
		for _, parameter := range operation.Parameters {
			if parameter.In != "query" {
				continue
			}
			for name, value := range hostile {
				try(name+" in "+parameter.Name, method, path+"?"+parameter.Name+"="+url.QueryEscape(value), "")
			}
		}
		schema := operation.RequestBody.Content["application/json"].Schema
		if name, ok := strings.CutPrefix(schema.Ref, "#/components/schemas/"); ok {
			schema = document.Components.Schemas[name]
		}
		for field, of := range schema.Properties {
			for name, value := range hostile {
				text := jsonText(value)
				forms := []string{text}
				if of.is("array") {
					forms = []string{`[` + text + `]`}
				}
				if of.is("object") {
					forms = []string{`{"X-A":` + text + `}`, `{` + text + `:"x"}`}
				}
				for _, form := range forms {
					members := `"` + field + `":` + form
					// The last of two members with one name counts.
					if before := valid[method+" "+path]; before != "" {
						members = before + `,` + members
					}
					try(name+" in "+field, method, path, `{`+members+`}`)
				}
			}
		}
	})
	require.Greater(t, tried, 500)
}

// jsonText writes a text as JSON, with its bytes as they are where JSON does not forbid them.
func jsonText(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", `\u0000`, "\r", `\r`, "\n", `\n`).Replace(value) + `"`
}

// A value that is refused may be a secret that ended up in the wrong place: no answer repeats it.
func TestRefusedHeadersAreNotEchoed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const secret = "s3cr3t-v4lue"
	for _, headers := range []string{
		`{"X-A":"` + secret + `\r\n"}`, `{"Host":"` + secret + `"}`, `{"X A":"` + secret + `"}`, `{"X-A":["` + secret + `"]}`,
		`{"X-A":{"` + secret + `":1}}`, `"` + secret + `"`, `["` + secret + `"]`, `{"x-a":"` + secret + `","X-A":"` + secret + `"}`,
		`{"X-A":"` + strings.Repeat(secret, 400) + `"}`, `{"X-Webhook-Signature":"` + secret + `"}`,
	} {
		for _, call := range [][3]string{
			{"POST", "/api/webhooks", `{"url":"https://example.com","events":["a"],"headers":` + headers + `}`},
			{"POST", "/api/webhooks", `{"url":"x","events":[],"HEADERS":` + headers + `}`},
			{"PATCH", "/api/webhooks/" + s.webhook(adminKey, "a"), `{"headers":` + headers + `}`},
		} {
			reply := s.call(adminKey, call[0], call[1], call[2])
			require.NotContains(t, reply.body, secret, call)
			reply.problem(http.StatusUnprocessableEntity, "invalid")
		}
	}
	reply := s.call(adminKey, "POST", "/api/webhooks", `{"headers":{"X-A":"`+secret+`"`)
	require.NotContains(t, reply.body, secret)
	reply.problem(http.StatusBadRequest, "malformed_json")
	reply = s.call(secret, "GET", "/api/webhooks", "")
	require.NotContains(t, reply.body, secret)
}

// What a provider says in headers is stored as text, which not every byte is.
func TestReceivedIdentityThatIsNotText(t *testing.T) {
	t.Parallel()
	s := newServiceOn(t, testdb.Postgres(t))
	const secret = "0123456789abcdef0123456789abcdef"
	source := s.admin(http.StatusCreated, "POST", "/api/sources",
		`{"name":"x","scheme":"hmac","secret":"`+secret+`","header":"X-Sign","id_header":"X-Id","type_header":"X-Type"}`).object()
	cfg := signature.Config{
		Scheme: signature.SchemeHMAC, Secrets: []string{secret}, HMAC: &signature.HMACConfig{Header: "X-Sign"},
	}
	header, err := signature.Sign(cfg, "", time.Now(), []byte(`{}`))
	require.NoError(t, err)
	receive := func(id, kind string) reply {
		return s.call("", "POST", "/webhooks/"+text(t, source, "id"), `{}`,
			"X-Sign", header.Get("X-Sign"), "X-Id", id, "X-Type", kind, "X-Other", "a\xff")
	}
	for _, wrong := range [][2]string{{"a\xff", "t"}, {"a", "t\xff"}} {
		require.Contains(t, receive(wrong[0], wrong[1]).problem(http.StatusBadRequest, "bad_request").Detail, "UTF-8")
	}
	receive("ü", "t").is(http.StatusOK)
}
