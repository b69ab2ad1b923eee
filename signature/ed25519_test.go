package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

func TestEd25519(t *testing.T) {
	t.Parallel()
	signingKey, publicKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	previousSigningKey, previousPublicKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	_, strangerKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	secret := newSecret(t)

	signer, err := signature.NewEd25519Signer(signingKey, previousSigningKey)
	require.NoError(t, err)
	at, body := time.Unix(attackUnix, 0), []byte(attackBody)
	header := standardHeaders("dlv_1", at, signer.Standard("dlv_1", at, body))

	for name, c := range map[string]struct {
		keys []string
		want error
	}{
		"current":               {[]string{publicKey}, nil},
		"previous":              {[]string{previousPublicKey}, nil},
		"among others":          {[]string{secret, strangerKey, publicKey}, nil},
		"stranger":              {[]string{strangerKey}, mismatch},
		"no key for v1a":        {[]string{secret}, noSignature},
		"stranger and a secret": {[]string{secret, strangerKey}, mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verifier := newVerifier(t, signature.SchemeStandardWebhooks, at, c.keys...)
			require.ErrorIs(t, verifier.Verify(header, body), c.want)
			if c.want == nil {
				require.ErrorIs(t, verifier.Verify(header, []byte("other")), mismatch)
				late := newVerifier(t, signature.SchemeStandardWebhooks, at.Add(time.Hour), c.keys...)
				require.ErrorIs(t, late.Verify(header, body), outside)
			}
		})
	}

	_, err = signature.NewVerifier(signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: []string{signingKey}})
	require.ErrorIs(t, err, signature.ErrInvalidSecret)
	require.ErrorContains(t, err, "whpk_", "who holds the sender's key is told which one to use")

	signed, err := signature.Sign(signature.Config{
		Scheme:  signature.SchemeStandardWebhooks,
		Secrets: []string{signingKey, previousSigningKey},
	}, "dlv_1", at, body)
	require.NoError(t, err)
	require.Equal(t, header, signed)
}

// TestPublicKeyIsNoSecret signs with what everybody knows, the public key, as if
// it were an HMAC secret.
func TestPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	_, publicKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(publicKey, "whpk_"))
	require.NoError(t, err)
	at := time.Unix(attackUnix, 0)
	signedText := "dlv_1.1767225600." + attackBody

	verifier := newVerifier(t, signature.SchemeStandardWebhooks, at, publicKey)
	both := newVerifier(t, signature.SchemeStandardWebhooks, at, publicKey, newSecret(t))
	for name, key := range map[string][]byte{"decoded": raw, "as shown": []byte(publicKey), "encoded": []byte(publicKey[5:]), "empty": {}} {
		forged := base64.StdEncoding.EncodeToString(hmacSum(sha256.New, key, signedText))
		header := standardHeaders("dlv_1", at, "v1,"+forged)
		require.ErrorIs(t, verifier.Verify(header, []byte(attackBody)), noSignature, name)
		require.ErrorIs(t, both.Verify(header, []byte(attackBody)), mismatch, name)
		header = standardHeaders("dlv_1", at, "v1a,"+forged)
		require.ErrorIs(t, verifier.Verify(header, []byte(attackBody)), mismatch, name)
	}
}

func TestNewEd25519SignerRefuses(t *testing.T) {
	t.Parallel()
	right, publicKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(right, "whsk_"))
	require.NoError(t, err)
	encode := base64.StdEncoding.EncodeToString
	for name, keys := range map[string][]string{
		"none":                    nil,
		"empty":                   {""},
		"public key":              {publicKey},
		"HMAC secret":             {newSecret(t)},
		"seed alone":              {"whsk_" + encode(raw[:32])},
		"another's public half":   {"whsk_" + encode(append(bytes.Clone(raw[:32]), make([]byte, 32)...))},
		"one byte more":           {"whsk_" + encode(append(bytes.Clone(raw), 0))},
		"line break":              {right + "\n"},
		"second unusable":         {right, "whsk_"},
		"public key named signer": {"whsk_" + strings.TrimPrefix(publicKey, "whpk_")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer, err := signature.NewEd25519Signer(keys...)
			require.ErrorIs(t, err, signature.ErrInvalidSecret)
			require.Nil(t, signer)
			requireNoLeak(t, err, right[5:])
			if len(keys) > 0 && !strings.HasPrefix(keys[0], "whsec_") {
				_, err = signature.Sign(signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: keys}, "dlv_1", time.Unix(0, 0), nil)
				require.ErrorIs(t, err, signature.ErrInvalidSecret)
			}
		})
	}
}

func TestEd25519SignerHidesKeys(t *testing.T) {
	t.Parallel()
	signingKey, _, err := signature.NewKeyPair()
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signingKey, "whsk_"))
	require.NoError(t, err)
	signer, err := signature.NewEd25519Signer(signingKey)
	require.NoError(t, err)
	requireNotPrinted(t, signer, raw[:ed25519.SeedSize])
	requireNotPrinted(t, *signer, raw[:ed25519.SeedSize])
}

func TestPublicKeyOf(t *testing.T) {
	t.Parallel()
	private, public, err := signature.NewKeyPair()
	require.NoError(t, err)
	got, err := signature.PublicKeyOf(private)
	require.NoError(t, err)
	require.Equal(t, public, got)
	raw, err := signature.PublicKeyBytes(public)
	require.NoError(t, err)
	require.Equal(t, strings.TrimPrefix(public, "whpk_"), base64.StdEncoding.EncodeToString(raw))
	for _, wrong := range []string{"", public, "whsk_AAAA", private + "\n", strings.Replace(private, "whsk_", "whsec_", 1)} {
		_, err := signature.PublicKeyOf(wrong)
		require.ErrorIs(t, err, signature.ErrInvalidSecret, wrong)
	}
	_, err = signature.PublicKeyBytes(private)
	require.ErrorIs(t, err, signature.ErrInvalidSecret)
}
