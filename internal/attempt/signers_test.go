package attempt_test

import (
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// accepted says whether a verifier of Standard Webhooks with a key takes the n-th request.
func (r *rig) accepted(n int, key string) bool {
	r.t.Helper()
	request, body := r.received(n)
	verifier, err := signature.NewVerifier(signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: []string{key}, Now: r.maker.Now})
	require.NoError(r.t, err)
	return verifier.Verify(request.Header, []byte(body)) == nil
}

// A webhook goes from HMAC to Ed25519, to another key, and back: during each grace the old and the new verify, and
// X-Webhook-Signature is there as long as an HMAC signs.
func TestEd25519Webhook(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		at := time.Now()
		r.maker.Now = func() time.Time { return at }
		first, firstPublic, err := signature.NewKeyPair()
		require.NoError(t, err)
		second, secondPublic, err := signature.NewKeyPair()
		require.NoError(t, err)
		again, err := signature.NewSecret()
		require.NoError(t, err)
		sent := 0
		for _, step := range []struct {
			rotation models.Rotation
			verify   map[string]bool
			hmac     bool
		}{
			{models.Rotation{Secret: first, Signing: models.SigningEd25519, PublicKey: firstPublic, Grace: time.Hour},
				map[string]bool{storetest.Secret: true, firstPublic: true, secondPublic: false}, true},
			{models.Rotation{Secret: second, Signing: models.SigningEd25519, PublicKey: secondPublic, Grace: time.Hour, EndEarlier: true},
				map[string]bool{storetest.Secret: false, firstPublic: true, secondPublic: true}, false},
			{models.Rotation{Secret: again, Grace: 0, EndEarlier: true},
				map[string]bool{again: true, storetest.Secret: false, firstPublic: false, secondPublic: false}, true},
		} {
			// The store's clock stands still.
			stored, err := r.store.RotateSecret(t.Context(), models.Scope{}, r.webhook.ID, step.rotation)
			require.NoError(t, err)
			require.Equal(t, step.rotation.PublicKey, stored.PublicKeys.Present())
			at = now.Add(time.Minute)
			require.Equal(t, models.StatusDelivered, r.deliver(sent+1).Status)
			for key, want := range step.verify {
				require.Equal(t, want, r.accepted(sent, key), "step %d, %s", sent, key[:5])
			}
			request, _ := r.received(sent)
			require.Equal(t, step.hmac, request.Header.Get("X-Webhook-Signature") != "")
			sent++
		}
	})
}

// The libraries of Standard Webhooks and of Svix, which know HMAC only, go on while a webhook changes to Ed25519.
func TestPeersWhileAWebhookChangesToEd25519(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		at := time.Now()
		r.maker.Now = func() time.Time { return at }
		private, public, err := signature.NewKeyPair()
		require.NoError(t, err)
		_, err = r.store.RotateSecret(t.Context(), models.Scope{}, r.webhook.ID,
			models.Rotation{Secret: private, Signing: models.SigningEd25519, PublicKey: public, Grace: at.Sub(now) + time.Hour})
		require.NoError(t, err)
		require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
		request, body := r.received(0)
		standard, err := standardwebhooks.NewWebhook(storetest.Secret)
		require.NoError(t, err)
		require.NoError(t, standard.Verify([]byte(body), request.Header))
		svixs, err := svix.NewWebhook(storetest.Secret)
		require.NoError(t, err)
		require.NoError(t, svixs.Verify([]byte(body), request.Header))
		require.True(t, r.accepted(0, public))
	})
}
