package signature_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v82/webhook"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/postrider/postrider/signature"
)

// peerBodies holds what a verifier could be tempted to rewrite.
var peerBodies = map[string][]byte{
	"object":       []byte(`{"id":"dlv_1","event":"order.created","data":{"b":1,"a":1.0,"é":"\u00e9"}}`),
	"empty":        {},
	"not text":     {0, 0xff, '\n', '%', 's', '%', 'd', '\r', '\n'},
	"full stops":   []byte("1.2.3"),
	"format verbs": []byte(`{"rate":"100%d %!s(MISSING)"}`),
}

// TestStripePeer checks both directions against stripe-go.
func TestStripePeer(t *testing.T) {
	t.Parallel()
	for name, body := range peerBodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			current, previous := newSecret(t), newSecret(t)

			theirs := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: current, Timestamp: now})
			header := http.Header{}
			header.Set(signature.HeaderStripe, theirs.Header)
			require.NoError(t, newVerifier(t, signature.SchemeStripe, now, current).Verify(header, body))
			require.ErrorIs(t, newVerifier(t, signature.SchemeStripe, now, previous).Verify(header, body), signature.ErrSignatureMismatch)

			signer, err := signature.NewSigner(current, previous)
			require.NoError(t, err)
			ours := signer.Postrider(now, body)
			require.NoError(t, webhook.ValidatePayload(body, ours, current))
			require.NoError(t, webhook.ValidatePayload(body, ours, previous))
			require.ErrorIs(t, webhook.ValidatePayload(body, ours, newSecret(t)), webhook.ErrNoValidSignature)

			signed, err := signature.Sign(signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"any text"}}, "", now, body)
			require.NoError(t, err)
			require.NoError(t, webhook.ValidatePayload(body, signed.Get(signature.HeaderStripe), "any text"))
		})
	}
}

// TestStripePeerOtherScheme checks that what stripe-go signs as another version
// is no signature.
func TestStripePeerOtherScheme(t *testing.T) {
	t.Parallel()
	now, secret, body := time.Now(), newSecret(t), []byte("{}")
	theirs := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: now, Scheme: "v0"})
	header := http.Header{}
	header.Set(signature.HeaderStripe, theirs.Header)
	require.ErrorIs(t, newVerifier(t, signature.SchemeStripe, now, secret).Verify(header, body), signature.ErrNoSignature)
}

// standardPeer is what the two Standard Webhooks libraries have in common.
type standardPeer interface {
	Sign(id string, timestamp time.Time, payload []byte) (string, error)
	Verify(payload []byte, header http.Header) error
}

// TestStandardPeers checks both directions against the Standard Webhooks and the
// Svix library.
func TestStandardPeers(t *testing.T) {
	t.Parallel()
	peers := map[string]func(secret string) (standardPeer, error){
		"standard-webhooks": func(secret string) (standardPeer, error) { return standardwebhooks.NewWebhook(secret) },
		"svix":              func(secret string) (standardPeer, error) { return svix.NewWebhook(secret) },
	}
	for peerName, newPeer := range peers {
		for bodyName, body := range peerBodies {
			t.Run(peerName+" "+bodyName, func(t *testing.T) {
				t.Parallel()
				const id = "dlv_01890a5d-ac96-774b-bcce-b302099a8057"
				now := time.Now()
				current, previous := newSecret(t), newSecret(t)

				peer, err := newPeer(current)
				require.NoError(t, err)
				theirs, err := peer.Sign(id, now, body)
				require.NoError(t, err)
				header := standardHeaders(id, now, theirs)
				require.NoError(t, newVerifier(t, signature.SchemeStandardWebhooks, now, previous, current).Verify(header, body))
				require.ErrorIs(t, newVerifier(t, signature.SchemeStandardWebhooks, now, previous).Verify(header, body),
					signature.ErrSignatureMismatch)

				signer, err := signature.NewSigner(current, previous)
				require.NoError(t, err)
				header = standardHeaders(id, now, signer.Standard(id, now, body))
				for _, secret := range []string{current, previous} {
					peer, err := newPeer(secret)
					require.NoError(t, err)
					require.NoError(t, peer.Verify(body, header))
				}
				stranger, err := newPeer(newSecret(t))
				require.NoError(t, err)
				require.Error(t, stranger.Verify(body, header))
			})
		}
	}
}

// TestSvixHeaders checks the header names that Svix's customers send.
func TestSvixHeaders(t *testing.T) {
	t.Parallel()
	const id = "msg_1"
	now, secret, body := time.Now(), newSecret(t), []byte("{}")
	peer, err := svix.NewWebhook(secret)
	require.NoError(t, err)
	value, err := peer.Sign(id, now, body)
	require.NoError(t, err)

	unix := strconv.FormatInt(now.Unix(), 10)
	header := http.Header{"Svix-Id": {id}, "Svix-Timestamp": {unix}, "Svix-Signature": {value}}
	require.NoError(t, peer.Verify(body, header))
	verifier := newVerifier(t, signature.SchemeStandardWebhooks, now, secret)
	require.NoError(t, verifier.Verify(header, body))

	mixed := http.Header{"Svix-Id": {id}, "Svix-Timestamp": {unix}, "Webhook-Signature": {value}}
	require.ErrorIs(t, verifier.Verify(mixed, body), signature.ErrMalformedHeader, "the families must not be mixed")

	header.Set(signature.HeaderSignature, "v1,AAAA")
	header.Set(signature.HeaderID, id)
	header.Set(signature.HeaderTimestamp, unix)
	require.ErrorIs(t, verifier.Verify(header, body), signature.ErrSignatureMismatch, "webhook-signature counts when it is there")
}
