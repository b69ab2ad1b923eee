package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/models"
)

// quoted is a text in JSON.
func quoted(t testing.TB, value string) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}

// A URL is stored in the form in which it goes out, and the API shows that form.
func TestURLIsShownAsItGoesOut(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	for given, stored := range map[string]string{
		"https://example.com/a%2Fb/é":            "https://example.com/a%2Fb/%C3%A9",
		"https://example.com/?name=Foo Bar":      "https://example.com/?name=Foo%20Bar",
		"https://example.com/x%2Fy^z":            "https://example.com/x%2Fy^z",
		"https://example.com/%41%2B/é":           "https://example.com/%41%2B/%C3%A9",
		"https://example.com/a|b/../c;d//e?f=[]": "https://example.com/a|b/../c;d//e?f=[]",
		"https://bücher.example:8443":            "https://xn--bcher-kva.example:8443",
	} {
		made := s.call(key, "POST", "/api/webhooks", `{"url":`+quoted(t, given)+`,"events":["*"]}`).is(http.StatusCreated).object()
		require.Equal(t, stored, made["url"])
		path := "/api/webhooks/" + text(t, made, "id")
		require.Equal(t, stored, s.call(key, "GET", path, "").object()["url"])
		s.call(key, "PATCH", path, `{"url":"https://example.com/other"}`).is(http.StatusOK)
		require.Equal(t, stored, s.call(key, "PATCH", path, `{"url":`+quoted(t, given)+`}`).is(http.StatusOK).object()["url"])
	}
	owner := s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"b","slack_url":"https://example.com/a%2Fé"}`).object()
	require.Equal(t, "https://example.com/a%2F%C3%A9", owner["slack_url"])
}

// What would fail every attempt is refused when it is set, wherever it is set. An owner is not told why a
// target may not be reached: the answer would be the same for every target.
func TestTargetsThatCouldNotBeReachedAreRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, key := s.owner("a")
	hook := s.webhook(key, "*")
	const sentence = "this target may not be reached from here; an administrator finds the reason in the log"
	for given, reason := range map[string]string{
		"https://example.com:0/x":       "expected a port from 1 to 65535",
		"https://example.com:99999/x":   "expected a port from 1 to 65535",
		" https://example.com/x":        "begins with a space",
		"https://example.com/x\n":       "ends with a newline (U+000A)",
		"https://exam\u200bple.com/x":   "a zero-width space (U+200B) at its character 5",
		"https://example.com/x#y":       "without #fragment",
		"https://2852039166/x":          "is a number",
		"https://0x7f.1/x":              "is a number",
		"http://10.0.0.1/x":             "10.0.0.1 is a private address (10.0.0.0/8); add it to --allow-targets to permit it",
		"http://169.254.169.254/x":      "169.254.169.254 is a cloud metadata address",
		"http://[::ffff:169.254.0.1]/x": "169.254.0.1 is a link-local address",
		"http://[64:ff9b::a00:1]/x":     "NAT64",
		"http://93.184.215.14:22/x":     "port 22 is not one of the permitted ports (80, 443)",
	} {
		forOwner := reason
		if strings.Contains(given, "http://") {
			forOwner = sentence
		}
		body := `{"url":` + quoted(t, given) + `,"events":["*"]}`
		for who, says := range map[string]string{key: forOwner, adminKey: reason} {
			for _, reply := range []reply{
				s.call(who, "POST", "/api/webhooks", body),
				s.call(who, "PATCH", "/api/webhooks/"+hook, `{"url":`+quoted(t, given)+`}`),
			} {
				problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
				require.Equal(t, "body.url", problem.Errors[0].Location)
				require.Contains(t, problem.Errors[0].Message, says)
			}
		}
		slack := `{"name":"b","slack_url":` + quoted(t, given) + `}`
		problem := s.call(adminKey, "POST", "/api/owners", slack).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.slack_url", problem.Errors[0].Location)
		require.Contains(t, problem.Errors[0].Message, reason)
		problem = s.call(adminKey, "PATCH", "/api/owners/"+ownerID, slack).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.slack_url", problem.Errors[0].Location)
	}
}

func TestTargetsFollowTheInstallation(t *testing.T) {
	t.Parallel()
	s := newService(t, func(cfg *config) {
		cfg.Service.Targets = newTargets(t, egress.Config{HTTPSOnly: true, AllowTargets: egresstest.Networks(t, "10.1.0.0/16:9000")})
	})
	_, key := s.owner("a")
	create := func(url string) reply {
		return s.call(key, "POST", "/api/webhooks", `{"url":"`+url+`","events":["*"]}`)
	}
	require.Contains(t, create("http://example.com/").problem(http.StatusUnprocessableEntity, "invalid").Detail, "only https URLs")
	create("https://10.1.2.3:9000/").is(http.StatusCreated)
	create("https://10.1.2.3/").is(http.StatusUnprocessableEntity)
	create("https://inside.example:9000/").is(http.StatusCreated)
	create("https://inside.example:9001/").is(http.StatusUnprocessableEntity)
}

func TestMailAddressesThatNoMailReaches(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id, _ := s.owner("a")
	for address, says := range map[string]string{
		"nobody": "such as ops@example.com", "Ops <ops@example.com>": "without a name", "a@b.example, c@d.example": "one address",
		"a@b.example\r\nBcc: c@d.example": "one address", " ops@example.com": "begins with a space",
		"ops@example.com\n": "ends with a newline (U+000A)", "ops@example.com\u200b": "a zero-width space (U+200B)",
		"ops@exämple.com": "xn--", "öps@example.com": "'ö' at its character 1", "ops@127.0.0.1": "an IP address", "ops@[127.0.0.1]": "domain",
		strings.Repeat("x", 65) + "@example.com": "64 of them before the @", "ops@" + strings.Repeat("x", 64) + ".com": "domain",
		"@example.com": "one address", "ops@": "one address", "ops@exam ple.com": "one address",
	} {
		body := `{"name":"a","email":` + quoted(t, address) + `}`
		for _, reply := range []reply{s.call(adminKey, "POST", "/api/owners", body), s.call(adminKey, "PATCH", "/api/owners/"+id, body)} {
			problem := reply.problem(http.StatusUnprocessableEntity, "invalid")
			require.Equal(t, "body.email", problem.Errors[0].Location)
			require.Contains(t, problem.Errors[0].Message, says, address)
		}
	}
	for _, address := range []string{"ops@example.com", "ops+alarm@sub.example.co.uk", "o'ps@xn--exmple-cua.com", "root@localhost"} {
		s.admin(http.StatusCreated, "POST", "/api/owners", `{"name":"a","email":"`+address+`"}`)
	}
}

// A header that some servers cannot tell from one of ours is as much ours.
func TestHeadersThatPassForOurs(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	for name, says := range map[string]string{
		"X_Webhook_Signature": "without _", "webhook_id": "without _", "X-My_Header": "without _", "x-webhook_signature": "without _",
		"X.Webhook.Signature": "kept for Postrider's own", "Webhook~Id": "kept for Postrider's own",
	} {
		problem := s.call(key, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"headers":{"`+name+`":"x"}}`).
			problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.headers."+name, problem.Errors[0].Location)
		require.Contains(t, problem.Errors[0].Message, says)
	}
	s.call(key, "POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"headers":{"Idempotency-Key":"x","X-My-Header":"y"}}`).is(http.StatusCreated)
}

// Where inside the installation a request went is told to administrators.
func TestPrivateRemoteAddressIsForAdministrators(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	s.webhook(key, "*")
	for address, shown := range map[string]any{
		"93.184.215.14:443": "93.184.215.14:443", "[2606:4700::1]:443": "[2606:4700::1]:443",
		"10.0.0.5:9000": nil, "127.0.0.1:80": nil, "[::1]:80": nil, "[fd00::1]:80": nil, "169.254.1.1:80": nil, "[fe80::1%eth0]:80": nil,
		"[::ffff:192.168.0.1]:80": nil, "100.64.0.1:80": nil,
	} {
		_, delivery := s.delivery(key, "a")
		s.attempt(delivery, models.StatusDelivered, func(a *models.Attempt) { a.RemoteAddr = address })
		seen := func(key string) any {
			attempts, ok := s.call(key, "GET", "/api/deliveries/"+delivery, "").is(http.StatusOK).object()["attempts"].([]any)
			require.True(t, ok)
			attempt, ok := attempts[0].(map[string]any)
			require.True(t, ok)
			return attempt["remote_addr"]
		}
		require.Equal(t, shown, seen(key), address)
		require.Equal(t, address, seen(adminKey))
	}
}
