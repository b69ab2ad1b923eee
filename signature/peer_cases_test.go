package signature_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/postrider/postrider/signature"
)

// peerSecrets are spellings of one key, and whether the libraries for Go take them:
// those for other languages take base64 without its padding too.
var peerSecrets = map[string]struct {
	secret string
	peers  bool
}{
	"with prefix":                  {"whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==", true},
	"bare":                         {"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==", true},
	"with prefix, without padding": {"whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ", false},
	"bare, without padding":        {"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ", false},
}

// TestPeersAgree compares what the two libraries and this package make of the same
// requests, with a secret in each of its spellings.
func TestPeersAgree(t *testing.T) {
	t.Parallel()
	const id, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	now := time.Now()
	signer, err := standardwebhooks.NewWebhook(peerSecrets["bare"].secret)
	require.NoError(t, err)
	sign := func(at time.Time) string {
		value, err := signer.Sign(id, at, []byte(body))
		require.NoError(t, err)
		return value
	}
	const other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	without := func(name string) http.Header {
		header := standardHeaders(id, now, sign(now))
		header.Del(name)
		return header
	}
	changed := func(name, value string) http.Header {
		header := standardHeaders(id, now, sign(now))
		header.Set(name, value)
		return header
	}
	old, early := now.Add(-6*time.Minute), now.Add(6*time.Minute)
	unix := strconv.FormatInt(now.Unix(), 10)
	for name, c := range map[string]struct {
		header http.Header
		valid  bool
	}{
		"valid":                     {standardHeaders(id, now, sign(now)), true},
		"no id":                     {without("webhook-id"), false},
		"empty id":                  {changed("webhook-id", ""), false},
		"another id":                {changed("webhook-id", "msg_2"), false},
		"no timestamp":              {without("webhook-timestamp"), false},
		"another timestamp":         {changed("webhook-timestamp", strconv.FormatInt(now.Unix()-1, 10)), false},
		"unreadable timestamp":      {changed("webhook-timestamp", "hello"), false},
		"no signature":              {without("webhook-signature"), false},
		"another signature":         {changed("webhook-signature", other), false},
		"without version":           {changed("webhook-signature", sign(now)[3:]), false},
		"another version":           {changed("webhook-signature", "v2"+sign(now)[2:]), false},
		"cut off":                   {changed("webhook-signature", sign(now)[:20]), false},
		"version alone":             {changed("webhook-signature", "v1,"), false},
		"too old":                   {standardHeaders(id, old, sign(old)), false},
		"too new":                   {standardHeaders(id, early, sign(early)), false},
		"last of several":           {changed("webhook-signature", other+" v2,x "+other+" "+sign(now)), true},
		"first of several":          {changed("webhook-signature", sign(now)+" "+other), true},
		"none of several":           {changed("webhook-signature", other+" "+other), false},
		"Svix's names":              {http.Header{"Svix-Id": {id}, "Svix-Timestamp": {unix}, "Svix-Signature": {sign(now)}}, true},
		"Svix's names, another one": {http.Header{"Svix-Id": {id}, "Svix-Timestamp": {unix}, "Svix-Signature": {other}}, false},
	} {
		for spelling, secret := range peerSecrets {
			t.Run(name+"/"+spelling, func(t *testing.T) {
				t.Parallel()
				verifier := newVerifier(t, signature.SchemeStandardWebhooks, now, secret.secret)
				err := verifier.Verify(c.header, []byte(body))
				require.Equal(t, c.valid, err == nil, "%v", err)

				theirs, standardErr := standardwebhooks.NewWebhook(secret.secret)
				svixs, svixErr := svix.NewWebhook(secret.secret)
				require.Equal(t, secret.peers, standardErr == nil)
				require.Equal(t, secret.peers, svixErr == nil)
				if !secret.peers {
					return
				}
				require.Equal(t, c.valid, svixs.Verify([]byte(body), c.header) == nil)
				if _, branded := c.header["Svix-Id"]; !branded { // which the first library does not know
					require.Equal(t, c.valid, theirs.Verify([]byte(body), c.header) == nil)
				}
			})
		}
	}
}
