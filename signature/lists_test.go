package signature_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

// TestSignatureLists reads headers with several signatures, as senders write them
// while they change their secret.
func TestSignatureLists(t *testing.T) {
	t.Parallel()
	sum := hmacSum(sha256.New, []byte("hush-hush"), attackBody)
	other := hmacSum(sha256.New, []byte("another secret"), attackBody)
	right, wrong := hex.EncodeToString(sum), hex.EncodeToString(other)
	right64, wrong64 := base64.StdEncoding.EncodeToString(sum), base64.StdEncoding.EncodeToString(other)
	for name, c := range map[string]struct {
		prefix string
		value  string
		base64 bool
		want   error
	}{
		"right one first":           {"v1=", "v1=" + right + ",v1=" + wrong, false, nil},
		"right one second":          {"v1=", "v1=" + wrong + ",v1=" + right, false, nil},
		"comma and blank":           {"v1=", "v1=" + wrong + ", v1=" + right, false, nil},
		"blank before the comma":    {"v1=", "v1=" + wrong + " ,v1=" + right, false, nil},
		"blanks alone":              {"v1=", "v1=" + wrong + " v1=" + right, false, nil},
		"tabs":                      {"v1=", "v1=" + wrong + ",\tv1=" + right, false, nil},
		"comma at the end":          {"v1=", "v1=" + right + ",", false, nil},
		"comma at the beginning":    {"v1=", ",v1=" + right, false, nil},
		"without prefix":            {"", wrong + "," + right, false, nil},
		"base64":                    {"", wrong64 + ", " + right64, true, nil},
		"prefix with blank":         {"HMAC ", "HMAC " + wrong64 + ", HMAC " + right64, true, nil},
		"prefix with comma":         {"v1,", "v1," + wrong64 + " v1," + right64, true, nil},
		"prefix with both":          {"a, ", "a, " + right64, true, nil},
		"another version beside it": {"v1=", "v0=" + wrong + ",v1=" + right, false, nil},
		"garbage beside it":         {"v1=", "v1=xyz,,v1=" + right, false, nil},
		"both wrong":                {"v1=", "v1=" + wrong + ",v1=" + wrong, false, mismatch},
		"right in another version":  {"v1=", "v0=" + right + ",v1=" + wrong, false, mismatch},
		"other versions alone":      {"v1=", "v0=" + right + ",v2=" + right, false, malformed},
		"prefix once for two":       {"v1=", "v1=" + wrong + "," + right, false, mismatch},
		"commas alone":              {"v1=", ",,", false, malformed},
		"ten":                       {"v1=", strings.Repeat("v1="+wrong+",", 9) + "v1=" + right, false, nil},
		"eleven":                    {"v1=", strings.Repeat("v1="+wrong+",", 10) + "v1=" + right, false, malformed},
		"many of another version":   {"v1=", strings.Repeat("v0=00,", 32) + "v1=" + right, false, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			format := signature.HMACConfig{Header: "X-PagerDuty-Signature", Prefix: c.prefix}
			if c.base64 {
				format.Encoding = signature.EncodingBase64
			}
			verifier, err := signature.NewVerifier(signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"hush-hush"}, HMAC: &format})
			require.NoError(t, err)
			err = verifier.Verify(http.Header{"X-Pagerduty-Signature": {c.value}}, []byte(attackBody))
			require.ErrorIs(t, err, c.want)
			if c.want != nil {
				requireNoLeak(t, err, right, wrong, right64, wrong64)
			}
		})
	}
}

// TestMostSecrets checks how many secrets verify and sign side by side.
func TestMostSecrets(t *testing.T) {
	t.Parallel()
	var secrets, signingKeys, publicKeys []string
	for range 7 {
		signingKey, publicKey, err := signature.NewKeyPair()
		require.NoError(t, err)
		secrets, signingKeys, publicKeys = append(secrets, newSecret(t)), append(signingKeys, signingKey), append(publicKeys, publicKey)
	}
	at := time.Unix(attackUnix, 0)
	signer, err := signature.NewSigner(secrets[:6]...)
	require.NoError(t, err)
	_, err = signature.NewSigner(secrets...)
	require.ErrorContains(t, err, "7 given, at most 6")
	pairs, err := signature.NewEd25519Signer(signingKeys[:6]...)
	require.NoError(t, err)
	_, err = signature.NewEd25519Signer(signingKeys...)
	require.ErrorContains(t, err, "7 given, at most 6")

	_, err = signature.NewVerifier(signature.Config{Scheme: signature.SchemeStripe, Secrets: secrets[:6]})
	require.ErrorIs(t, err, signature.ErrInvalidSecret)
	require.ErrorContains(t, err, "6 given, at most 5")
	verifier := newVerifier(t, signature.SchemePostrider, at, secrets[:5]...)
	require.NoError(t, verifier.Verify(http.Header{"X-Webhook-Signature": {signer.Postrider(at, nil)}}, nil))
	for _, key := range secrets[:6] { // each of the six is of use to who has only one
		standard := newVerifier(t, signature.SchemeStandardWebhooks, at, key)
		require.NoError(t, standard.Verify(standardHeaders("dlv_1", at, signer.Standard("dlv_1", at, nil)), nil))
	}

	six := standardHeaders("dlv_1", at, pairs.Standard("dlv_1", at, nil))
	require.NoError(t, newVerifier(t, signature.SchemeStandardWebhooks, at, publicKeys[5]).Verify(six, nil))
	require.NoError(t, newVerifier(t, signature.SchemeStandardWebhooks, at, publicKeys[6], publicKeys[5]).Verify(six, nil))
	err = newVerifier(t, signature.SchemeStandardWebhooks, at, publicKeys[2:7]...).Verify(six, nil)
	require.ErrorIs(t, err, malformed, "30 checks of the whole body")
	require.ErrorContains(t, err, "too many v1a signatures for 5 public keys")
	require.NoError(t, newVerifier(t, signature.SchemeStandardWebhooks, at, append(secrets[:1:1], publicKeys[2:6]...)...).
		Verify(standardHeaders("dlv_1", at, strings.Join(strings.Split(pairs.Standard("dlv_1", at, nil), " ")[3:], " ")), nil))
}

// TestManySecretsAreNotRead hands over what an attacker would.
func TestManySecretsAreNotRead(t *testing.T) {
	t.Parallel()
	_, err := signature.NewVerifier(signature.Config{Scheme: signature.SchemeGitHub, Secrets: make([]string, 70_000)})
	require.ErrorContains(t, err, "70000 given, at most 5")
	require.Less(t, len(err.Error()), 1000)
}
