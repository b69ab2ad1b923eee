package receiver_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

func TestSlackChallengeIsAnswered(t *testing.T) {
	t.Parallel()
	var called calls
	h := newHandler(t, receiver.Options{Provider: receiver.Slack})
	h.On("*", called.handle)
	const body = `{"token":"J","challenge":"3eZbrw<\"1aBm2","type":"url_verification"}`

	w := post(h, sign(t, signature.SchemeSlack, "", body), body)
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"challenge":"3eZbrw<\"1aBm2"}`, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))

	w = post(h, http.Header{}, body)
	requireRefused(t, http.StatusUnauthorized, w)
	require.NotContains(t, w.Body.String(), "3eZbrw", "a challenge is answered to Slack only")
	require.Zero(t, called.count())
}

func TestSlackHandshake(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"not JSON":          `url_verification`,
		"no challenge":      `{"type":"url_verification"}`,
		"challenge missing": `{"type":"url_verification","challenge":{}}`,
		"huge challenge":    `{"type":"url_verification","challenge":"` + strings.Repeat("x", 1025) + `"}`,
		"an event about it": `{"type":"event_callback","challenge":"x","event_id":"1","event":{"type":"message","text":"url_verification"}}`,
		"an inner one":      `{"type":"event_callback","event":{"type":"url_verification","challenge":"x"}}`,
	} {
		_, ok := receiver.Slack.Handshake(http.Header{}, []byte(body))
		require.False(t, ok, name)
	}
}

func TestGitHubPingIsAnswered(t *testing.T) {
	t.Parallel()
	var called calls
	h := newHandler(t, receiver.Options{Provider: receiver.GitHub})
	h.On("*", called.handle)
	const body = `{"zen":"Design for failure.","hook_id":1}`
	requireReceived(t, post(h, sign(t, signature.SchemeGitHub, "", body, "X-GitHub-Event", "ping"), body))
	requireRefused(t, http.StatusUnauthorized, post(h, headers("X-GitHub-Event", "ping"), body))
	require.Zero(t, called.count())

	for _, header := range []http.Header{headers("X-GitHub-Event", "push"), headers("X-GitHub-Event", "ping", "X-GitHub-Event", "ping"), {}} {
		_, ok := receiver.GitHub.Handshake(header, []byte(body))
		require.False(t, ok)
	}
}

func TestOthersHaveNoHandshake(t *testing.T) {
	t.Parallel()
	for _, p := range []receiver.Provider{receiver.Postrider, receiver.StandardWebhooks, receiver.Stripe, receiver.Shopify, plain} {
		_, ok := p.Handshake(headers("X-GitHub-Event", "ping"), []byte(`{"type":"url_verification","challenge":"x"}`))
		require.False(t, ok)
	}
}

func TestHubChallenge(t *testing.T) {
	t.Parallel()
	const token = "meadow"
	tests := []struct {
		name, query, token, challenge string
	}{
		{"right", "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meadow", token, "1158201444"},
		{"longest", "hub.mode=subscribe&hub.verify_token=meadow&hub.challenge=" + strings.Repeat("1", 1024), token, strings.Repeat("1", 1024)},
		{"too long", "hub.mode=subscribe&hub.verify_token=meadow&hub.challenge=" + strings.Repeat("1", 1025), token, ""},
		{"wrong token", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=Meadow", token, ""},
		{"longer token", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=meadows", token, ""},
		{"no token", "hub.mode=subscribe&hub.challenge=1", token, ""},
		{"no token wanted", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=", "", ""},
		{"other mode", "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=meadow", token, ""},
		{"no challenge", "hub.mode=subscribe&hub.verify_token=meadow", token, ""},
		{"empty", "", token, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			query, err := url.ParseQuery(test.query)
			require.NoError(t, err)
			challenge, ok := receiver.HubChallenge(query, test.token)
			require.Equal(t, test.challenge, challenge)
			require.Equal(t, test.challenge != "", ok)

			if test.token == "" {
				return
			}
			h := newHandler(t, receiver.Options{VerifyToken: test.token})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks?"+test.query, nil))
			if !ok {
				requireRefused(t, http.StatusForbidden, w)
				return
			}
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, test.challenge, w.Body.String())
			require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		})
	}
}
