package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/signature"
)

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
	s := newServiceOn(t, storetest.Postgres(t))
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
