package attempt_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v82/webhook"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// moved is the secret of a receiver that moved in.
const (
	moved         = "moved-in-0123456789"
	movedInBase64 = "bW92ZWQtaW4tMDEyMzQ1Njc4OQ=="
)

// withCredentials gives the rig's webhook credentials.
func (r *rig) withCredentials(credentials models.Credentials) {
	r.t.Helper()
	stored, err := r.store.UpdateWebhook(r.t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.SetCredentials(credentials)
		return nil
	})
	require.NoError(r.t, err)
	require.Nil(r.t, stored.Credentials)
}

// byScheme verifies with package signature.
func byScheme(scheme signature.Scheme) func(*testing.T, *http.Request, []byte, time.Time) error {
	return func(t *testing.T, request *http.Request, body []byte, at time.Time) error {
		verifier, err := signature.NewVerifier(signature.Config{Scheme: scheme, Secrets: []string{moved}, Now: func() time.Time { return at }})
		require.NoError(t, err)
		return verifier.Verify(request.Header, body)
	}
}

// Receivers that verified something before they got webhooks from here verify it still: with the libraries that they use.
func TestMovedInReceivers(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]struct {
		signature models.FurtherSignature
		verify    func(t *testing.T, request *http.Request, body []byte, at time.Time) error
	}{
		"GitHub, by go-github": {
			models.FurtherSignature{Header: "X-Hub-Signature-256", Prefix: "sha256="},
			func(_ *testing.T, request *http.Request, body []byte, _ time.Time) error {
				_, err := github.ValidatePayloadFromBody("application/json", bytes.NewReader(body), request.Header.Get("X-Hub-Signature-256"), []byte(moved))
				return err
			},
		},
		"GitHub, by package receiver": {
			models.FurtherSignature{Header: "X-Hub-Signature-256", Prefix: "sha256="},
			func(t *testing.T, request *http.Request, body []byte, at time.Time) error {
				verifier, err := receiver.GitHub.Verifier([]string{moved}, 0, func() time.Time { return at })
				require.NoError(t, err)
				return verifier.Verify(request.Header, body)
			},
		},
		"Stripe, by stripe-go": {
			models.FurtherSignature{Header: "Stripe-Signature", Prefix: "t={timestamp},v1=", Signed: "{timestamp}.{body}"},
			func(_ *testing.T, request *http.Request, body []byte, _ time.Time) error {
				return stripe.ValidatePayload(body, request.Header.Get("Stripe-Signature"), moved)
			},
		},
		"Slack": {
			models.FurtherSignature{Header: "X-Slack-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}", TimestampHeader: "X-Slack-Request-Timestamp"},
			byScheme(signature.SchemeSlack),
		},
		"Shopify": {
			models.FurtherSignature{Header: "X-Shopify-Hmac-Sha256", Encoding: "base64"},
			byScheme(signature.SchemeShopify),
		},
		"Svix, by its three headers": {
			models.FurtherSignature{
				Header: "svix-signature", Encoding: "base64", Prefix: "v1,", Signed: "{id}.{timestamp}.{body}", TimestampHeader: "svix-timestamp",
				IDHeader: "svix-id", Secret: "whsec_" + movedInBase64, SecretEncoding: "base64",
			},
			func(t *testing.T, request *http.Request, body []byte, _ time.Time) error {
				verifier, err := svix.NewWebhook(movedInBase64)
				require.NoError(t, err)
				only := http.Header{} // Svix's library takes our headers where its own are missing
				for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"} {
					only.Set(name, request.Header.Get(name))
				}
				return verifier.Verify(body, only)
			},
		},
		"one's own, with a time": {
			models.FurtherSignature{Header: "X-Acme-Signature", Hash: "sha512", Signed: "{timestamp}.{body}", TimestampHeader: "X-Acme-Timestamp"},
			byTime,
		},
		"one's own, with an ID": {
			models.FurtherSignature{Header: "X-Acme-Signature", Hash: "sha1", Prefix: "id={id};", Signed: "{id}:{body}:end", IDHeader: "X-Acme-Id"},
			byID,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, open opener) {
				r := newRig(t, open)
				at := time.Now() // stripe-go has no clock but this one
				r.maker.Now = func() time.Time { return at }
				further := form.signature
				further.Secret = cmp.Or(further.Secret, moved)
				r.withCredentials(models.Credentials{Signatures: []models.FurtherSignature{further}})
				r.inFormat(models.FormatRaw)
				require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
				request, body := r.received(0)
				require.NoError(t, form.verify(t, request, []byte(body), at))
				require.Error(t, form.verify(t, request, []byte(body+" "), at))
				require.NotEmpty(t, request.Header.Get("X-Webhook-Signature"), "ours are there too")
			})
		})
	}
}

// byTime verifies as a receiver of its own form, with the time in a header.
func byTime(t *testing.T, request *http.Request, body []byte, _ time.Time) error {
	mac := hmac.New(sha512.New, []byte(moved))
	mac.Write([]byte(request.Header.Get("X-Acme-Timestamp") + "."))
	mac.Write(body)
	return unlessEqual(t, hex.EncodeToString(mac.Sum(nil)), request.Header.Get("X-Acme-Signature"))
}

// byID verifies as a receiver of its own form, with the ID in a header.
func byID(t *testing.T, request *http.Request, body []byte, _ time.Time) error {
	id := request.Header.Get("X-Acme-Id")
	require.Equal(t, request.Header.Get("Webhook-Id"), id)
	mac := hmac.New(sha1.New, []byte(moved))
	mac.Write([]byte(id + ":" + string(body) + ":end"))
	return unlessEqual(t, "id="+id+";"+hex.EncodeToString(mac.Sum(nil)), request.Header.Get("X-Acme-Signature"))
}

func unlessEqual(t *testing.T, want, got string) error {
	t.Helper()
	require.Len(t, got, len(want))
	if want != got {
		return signature.ErrSignatureMismatch
	}
	return nil
}
