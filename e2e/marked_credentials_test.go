package e2e

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress/egresstest"
)

// signIn has webhooks sign in by every way, each once with what the receiver knows and once with what it does not.
func (m *marked) signIn(t *testing.T) {
	t.Helper()
	m.secret("password", rand.Text())
	m.secret("bearer token", rand.Text())
	endpoint := newTokenEndpoint(t)
	m.secret("client secret", endpoint.secret)
	m.secret("access token", endpoint.tokens)
	m.secret("wrong client secret", rand.Text())
	authority := egresstest.NewAuthority(t, "authority of marks")
	certificate, key := authority.Issue(t, "marked", time.Now().Add(time.Hour))
	m.secretKey("client's private key", key)

	target := newReceiver(t, always(http.StatusOK))
	known := newTLSReceiver(t, authority, always(http.StatusOK))
	basic := object{"basic": object{"username": "u", "password": m.secrets["password"]}}
	shows := object{"certificate": certificate, "key": key, "ca": authority.CA}
	hooks := map[string]webhook{}
	for name, more := range map[string]object{
		"basic": {"auth": basic}, "bearer": {"auth": object{"bearer": object{"token": m.secrets["bearer token"]}}},
		"oauth2": {"auth": endpoint.auth()}, "tls": {"url": known.url, "auth": basic, "tls": shows},
		// Neither is let in: the token endpoint refuses the one, the other trusts nobody.
		"refused": {"auth": object{"oauth2": object{"token_url": endpoint.URL, "client_id": "client", "client_secret": m.secrets["wrong client secret"]}}},
		"strange": {"url": known.url, "tls": object{"certificate": certificate, "key": key}},
	} {
		hooks[name] = m.newKeptWebhook(t, target.url, more)
		m.secret("secret of the webhook with "+name, hooks[name].Secret)
	}
	for name, hook := range hooks {
		var published event
		m.call(t, http.MethodPost, "/api/events", object{"event": "signed.in", "owner_id": m.owner, "data": 1, "webhook_ids": []string{hook.ID}},
			http.StatusAccepted, &published)
		want := "delivered"
		if name == "refused" || name == "strange" {
			want = "permanently_failed"
		}
		m.await(t, m.deliveriesOf(t, published.ID)[0].ID, want)
	}
	got := map[string]bool{}
	for _, request := range append(target.all(), known.all()...) {
		got[request.header.Get("Authorization")] = true
	}
	require.Len(t, got, 3)
	require.True(t, got["Bearer "+m.secrets["bearer token"]])
	require.True(t, got["Bearer "+endpoint.token(1)], "what is searched for was sent")
	m.beRefusedCredentials(t, hooks["oauth2"].ID, certificate, key)
}

// newKeptWebhook makes a webhook by a call whose answer is kept.
func (m *marked) newKeptWebhook(t *testing.T, url string, more object) (made webhook) {
	t.Helper()
	body := object{"url": url, "events": []string{"signed.in"}, "owner_id": m.owner, "retry_schedule": []string{}}
	for name, value := range more {
		body[name] = value
	}
	status, answer, err := m.ask(t, http.MethodPost, "/api/webhooks", body, http.Header{"Idempotency-Key": {rand.Text()}})
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status, "%s", answer)
	require.NoError(t, json.Unmarshal(answer, &made))
	return made
}

// secretKey marks the lines of a private key that have something of it. Behind them stands its public half, which
// certificates have too.
func (m *marked) secretKey(name, key string) {
	lines := strings.Split(key, "\n")
	m.secret(name+", first line", lines[1])
	m.secret(name+", second line", lines[2])
}

// beRefusedCredentials makes mistakes with what webhooks sign in with.
func (m *marked) beRefusedCredentials(t *testing.T, id, certificate, key string) {
	t.Helper()
	_, another := egresstest.NewAuthority(t, "another").Issue(t, "another", time.Now().Add(time.Hour))
	m.secretKey("another private key", another)
	for name, wrong := range map[string]object{
		"a bearer token with a line break": {"auth": object{"bearer": object{"token": m.secrets["bearer token"] + "\r\n"}}},
		"a bearer token as a list":         {"auth": object{"bearer": []string{m.secrets["bearer token"]}}},
		"a password as a list":             {"auth": object{"basic": object{"username": "u", "password": []string{m.secrets["password"]}}}},
		"a user name with a colon":         {"auth": object{"basic": object{"username": "u:" + m.secrets["password"], "password": "p"}}},
		"two ways":                         {"auth": object{"basic": object{"username": "u"}, "bearer": object{"token": m.secrets["bearer token"]}}},
		"a private token endpoint":         {"auth": object{"oauth2": object{"token_url": "http://10.0.0.1/", "client_secret": m.secrets["client secret"]}}},
		"a secret in the token URL":        {"auth": object{"oauth2": object{"token_url": "https://u:" + m.secrets["client secret"] + "@example.com:0/"}}},
		"another's key":                    {"tls": object{"certificate": certificate, "key": another}},
		"no certificate":                   {"tls": object{"certificate": key, "key": key}},
		"half a key":                       {"tls": object{"certificate": certificate, "key": key[:len(key)/2]}},
		"a key as authority":               {"tls": object{"ca": key}},
	} {
		status, answer, err := m.ask(t, http.MethodPatch, "/api/webhooks/"+id, wrong, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnprocessableEntity, status, "%s: %s", name, answer)
		m.refusals[name] = string(answer)
	}
}
