package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress/egresstest"
)

// sentAs sends one event in every format.
func sentAs(t *testing.T, p *installation) {
	owner := p.newOwner(t, nil)
	targets := map[string]*receiver{}
	secrets := map[string]string{}
	for _, format := range []string{"envelope", "raw", "cloudevents", "cloudevents-structured"} {
		targets[format] = newReceiver(t, always(http.StatusOK))
		secrets[format] = p.newWebhook(t, owner, targets[format].url, object{"format": format}).Secret
	}
	published := publishRaw(t, p, owner, "order.created", raw)
	require.Equal(t, len(targets), published.Deliveries)
	for format, target := range targets {
		got := target.await(t, 1)[0]
		requireVerified(t, got, secrets[format])
		require.Equal(t, "order.created", got.header.Get("X-Webhook-Event"))
		p.await(t, got.deliveryID(), "delivered")
		switch format {
		case "envelope":
			require.True(t, strings.HasPrefix(string(got.body), `{"id":"`+got.deliveryID()+`"`), "%s", got.body)
			require.True(t, strings.HasSuffix(string(got.body), `"data":`+raw+"}"), "%s", got.body)
		case "raw":
			require.Equal(t, raw, string(got.body))
			require.Equal(t, published.ID, got.header.Get("X-Webhook-Event-Id"))
		default:
			request, err := http.NewRequestWithContext(t.Context(), got.method, got.path, bytes.NewReader(got.body))
			require.NoError(t, err)
			request.Header = got.header
			read, err := cloudevents.NewEventFromHTTPRequest(request)
			require.NoError(t, err)
			require.NoError(t, read.Validate())
			require.Equal(t, published.ID, read.ID())
			require.Equal(t, "order.created", read.Type())
			require.Equal(t, p.url, read.Source())
			require.JSONEq(t, raw, string(read.Data()))
		}
	}
}

// tokenEndpoint gives out access tokens for the grant client_credentials.
type tokenEndpoint struct {
	*httptest.Server
	secret  string
	fetched atomic.Int64
	// tokens is what all that it gives out begin with.
	tokens string
}

func newTokenEndpoint(t testing.TB) *tokenEndpoint {
	t.Helper()
	e := &tokenEndpoint{secret: rand.Text(), tokens: rand.Text()}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *tokenEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	id, secret, _ := r.BasicAuth()
	if id != "client" || secret != e.secret || r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "hooks" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(object{"access_token": e.token(int(e.fetched.Add(1))), "token_type": "Bearer", "expires_in": 3600})
}

// token is the n-th that it gives out.
func (e *tokenEndpoint) token(n int) string { return e.tokens + strconv.Itoa(n) }

// auth is what a webhook says to sign in by it.
func (e *tokenEndpoint) auth() object {
	return object{"oauth2": object{"token_url": e.URL, "client_id": "client", "client_secret": e.secret, "scopes": []string{"hooks"}}}
}

// signedIn has one webhook sign in by every way.
func signedIn(t *testing.T, p *installation) {
	endpoint := newTokenEndpoint(t)
	target := newReceiver(t, func(n int, r *http.Request) answer {
		if r.Header.Get("Authorization") == "Bearer "+endpoint.token(1) && n > 4 {
			return answer{status: http.StatusUnauthorized} // revoked
		}
		return answer{status: http.StatusOK}
	})
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"auth": object{"basic": object{"username": "u", "password": "p:p"}}, "retry_schedule": []string{"1h"}})
	send := func() { p.await(t, p.send(t, owner, object{}), "delivered") }
	patch := func(auth any) {
		p.call(t, http.MethodPatch, "/api/webhooks/"+hook.ID, object{"auth": auth}, http.StatusOK, nil)
	}
	send()
	patch(object{"bearer": object{"token": "abc.def"}})
	send()
	patch(endpoint.auth())
	send()
	send()
	require.EqualValues(t, 1, endpoint.fetched.Load(), "the token is kept")
	send() // the token of before is refused, and a new one fetched within the attempt
	require.EqualValues(t, 2, endpoint.fetched.Load())
	patch(object{"oauth2": object{"client_secret": "of another"}})
	refused := p.await(t, p.send(t, owner, object{}), "failed")
	require.Equal(t, "auth", *refused.Attempts[0].ErrorClass)
	require.Contains(t, *refused.Attempts[0].Error, "answered 401 (invalid_client)")
	patch(nil)
	send()
	var got []string
	for _, request := range target.all() {
		got = append(got, request.header.Get("Authorization"))
	}
	first, second := "Bearer "+endpoint.token(1), "Bearer "+endpoint.token(2)
	require.Equal(t, []string{"Basic dTpwOnA=", "Bearer abc.def", first, first, first, second, ""}, got)
}

// clientKnown sends to a receiver with a certificate of its own authority that lets in only who shows one.
func clientKnown(t *testing.T, p *installation) {
	authority := egresstest.NewAuthority(t, "authority of the test")
	target := newTLSReceiver(t, authority, always(http.StatusOK))
	certificate, key := authority.Issue(t, "postrider of the test", time.Now().Add(time.Hour))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
	id := p.send(t, owner, object{})
	refused := p.await(t, id, "failed")
	require.Equal(t, "tls", *refused.Attempts[0].ErrorClass)
	require.Zero(t, target.count())

	p.call(t, http.MethodPatch, "/api/webhooks/"+hook.ID,
		object{"tls": object{"certificate": certificate, "key": key, "ca": authority.CA}}, http.StatusOK, nil)
	p.resend(t, id)
	p.await(t, id, "delivered")
	require.Equal(t, "postrider of the test", target.all()[0].client)
	requireVerified(t, target.all()[0], hook.Secret)
}

// newTLSReceiver is a receiver with a certificate of an authority that asks for one of it.
func newTLSReceiver(t testing.TB, authority *egresstest.Authority, script script) *receiver {
	t.Helper()
	return startReceiver(t, script, func(server *httptest.Server) {
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.TLS = authority.Demands(t)
		server.StartTLS()
	})
}

// signedWithKeyPair verifies with the key that the installation shows to everyone, through a rotation.
func signedWithKeyPair(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"signing": "ed25519"})
	keys := func() (keys []ed25519.PublicKey) {
		response, err := httpClient.Get(p.url + "/api/keys/jwks?webhook_id=" + hook.ID)
		require.NoError(t, err)
		defer response.Body.Close()
		var set struct {
			Keys []struct {
				Curve string `json:"crv"`
				X     string `json:"x"`
			} `json:"keys"`
		}
		require.NoError(t, json.NewDecoder(response.Body).Decode(&set))
		for _, key := range set.Keys {
			require.Equal(t, "Ed25519", key.Curve)
			x, err := base64.RawURLEncoding.DecodeString(key.X)
			require.NoError(t, err)
			keys = append(keys, x)
		}
		return keys
	}
	// verified says which of the keys have signed a request.
	verified := func(r request, keys []ed25519.PublicKey) (by []bool) {
		require.Empty(t, r.header.Get("X-Webhook-Signature"))
		signed := append([]byte(r.deliveryID()+"."+r.header.Get("Webhook-Timestamp")+"."), r.body...)
		for _, key := range keys {
			found := false
			for _, part := range strings.Fields(r.header.Get("Webhook-Signature")) {
				text, ok := strings.CutPrefix(part, "v1a,")
				require.True(t, ok, part)
				signature, err := base64.StdEncoding.DecodeString(text)
				require.NoError(t, err)
				found = found || ed25519.Verify(key, signed, signature)
			}
			by = append(by, found)
		}
		return by
	}
	p.await(t, p.send(t, owner, object{}), "delivered")
	before := keys()
	require.Equal(t, []bool{true}, verified(target.all()[0], before))
	p.call(t, http.MethodPost, "/api/webhooks/"+hook.ID+"/rotate-secret", object{"grace": "1h"}, http.StatusOK, nil)
	p.await(t, p.send(t, owner, object{}), "delivered")
	after := keys()
	require.Len(t, after, 2)
	require.Equal(t, before[0], after[1])
	require.Equal(t, []bool{true, true}, verified(target.all()[1], after))
	require.Equal(t, []bool{false, true}, verified(target.all()[0], after), "the check bites")
}
