package signature_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

// The seeds in testdata/fuzz hold requests that are rightly signed with
// attackSecret and fuzzSigningKey, so that the fuzzer starts from what is
// accepted. No seed is signed with strangerSecret or under strangerPublicKey.
const (
	strangerSecret    = "whsec_plJ3nmyCDGBKInavdOK15jsl3nmyCDGB"
	fuzzSigningKey    = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	fuzzPublicKey     = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	strangerPublicKey = "whpk_O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
)

// verifyCase is one input of a fuzz test.
type verifyCase struct {
	cfg      signature.Config // with the secrets that the sender used
	strange  []string         // secrets that nobody used
	header   http.Header
	body     []byte
	signedBy func() bool // whether the header holds a right signature, found without the package
}

// check verifies with the right secrets and with strange ones: nothing may
// panic, nothing be accepted that was not signed.
func (c verifyCase) check(t *testing.T) {
	t.Helper()
	c.cfg.Now = func() time.Time { return time.Unix(attackUnix, 0) }
	verifier, err := signature.NewVerifier(c.cfg)
	require.NoError(t, err)
	err = verifier.Verify(c.header, c.body)
	if err == nil {
		require.True(t, c.signedBy(), "accepted without a right signature")
	} else {
		requireKnown(t, err)
		requireNoLeak(t, err, c.cfg.Secrets...)
	}

	strange := c.cfg
	strange.Secrets = c.strange
	stranger, err := signature.NewVerifier(strange)
	require.NoError(t, err)
	err = stranger.Verify(c.header, c.body)
	require.Error(t, err, "accepted under a secret that signed nothing")
	requireKnown(t, err)

	c.checkSigned(t, verifier, stranger)
}

// checkSigned signs the body and verifies that, and that any change of it fails.
func (c verifyCase) checkSigned(t *testing.T, verifier, stranger *signature.Verifier) {
	t.Helper()
	signing := c.cfg
	if signing.Scheme == signature.SchemeStandardWebhooks {
		signing.Secrets = []string{attackSecret, fuzzSigningKey}
	}
	header, err := signature.Sign(signing, "dlv_1", time.Unix(attackUnix, 0), c.body)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(header, c.body))
	require.ErrorIs(t, stranger.Verify(header, c.body), mismatch)
	require.ErrorIs(t, verifier.Verify(header, append(slices.Clone(c.body), 0)), mismatch)
	if len(c.body) > 0 {
		changed := slices.Clone(c.body)
		changed[len(changed)/2] ^= 1
		require.ErrorIs(t, verifier.Verify(header, changed), mismatch)
		require.ErrorIs(t, verifier.Verify(header, c.body[1:]), mismatch)
	}
}

func requireKnown(t *testing.T, err error) {
	t.Helper()
	known := slices.ContainsFunc([]error{noSignature, mismatch, malformed, outside}, func(sentinel error) bool {
		return errors.Is(err, sentinel)
	})
	require.True(t, known, "%v", err)
}

// hexSignedBy looks for a right hex HMAC anywhere in a header value.
func hexSignedBy(value, message string) bool {
	right := hex.EncodeToString(hmacSum(sha256.New, []byte(attackSecret), message))
	return strings.Contains(strings.ToLower(value), right)
}

func fuzzList(f *testing.F, scheme signature.Scheme, name string) {
	f.Helper()
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		verifyCase{
			cfg:     signature.Config{Scheme: scheme, Secrets: []string{attackSecret}},
			strange: []string{strangerSecret},
			header:  http.Header{name: {value}},
			body:    body,
			signedBy: func() bool {
				for entry := range strings.SplitSeq(value, ",") {
					timestamp, found := strings.CutPrefix(entry, "t=")
					if found && hexSignedBy(value, timestamp+"."+string(body)) {
						return true
					}
				}
				return false
			},
		}.check(t)
	})
}

func FuzzVerifyPostrider(f *testing.F) {
	fuzzList(f, signature.SchemePostrider, signature.HeaderPostrider)
}

func FuzzVerifyStripe(f *testing.F) {
	fuzzList(f, signature.SchemeStripe, signature.HeaderStripe)
}

func FuzzVerifyStandardWebhooks(f *testing.F) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(attackSecret, "whsec_"))
	require.NoError(f, err)
	public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(fuzzPublicKey, "whpk_"))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, id, timestamp, value string, body []byte) {
		verifyCase{
			cfg:     signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: []string{attackSecret, fuzzPublicKey}},
			strange: []string{strangerSecret, strangerPublicKey},
			header:  http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {value}},
			body:    body,
			signedBy: func() bool {
				message := id + "." + timestamp + "." + string(body)
				if strings.Contains(value, "v1,"+base64.StdEncoding.EncodeToString(hmacSum(sha256.New, key, message))) {
					return true
				}
				for entry := range strings.SplitSeq(value, " ") {
					raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(entry, "v1a,"))
					if err == nil && ed25519.Verify(public, []byte(message), raw) {
						return true
					}
				}
				return false
			},
		}.check(t)
	})
}

func FuzzVerifyGitHub(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		verifyCase{
			cfg:      signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{attackSecret}},
			strange:  []string{strangerSecret},
			header:   http.Header{signature.HeaderGitHub: {value}},
			body:     body,
			signedBy: func() bool { return strings.HasPrefix(value, "sha256=") && hexSignedBy(value, string(body)) },
		}.check(t)
	})
}

func FuzzVerifyShopify(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		verifyCase{
			cfg:     signature.Config{Scheme: signature.SchemeShopify, Secrets: []string{attackSecret}},
			strange: []string{strangerSecret},
			header:  http.Header{signature.HeaderShopify: {value}},
			body:    body,
			signedBy: func() bool {
				return value == base64.StdEncoding.EncodeToString(hmacSum(sha256.New, []byte(attackSecret), string(body)))
			},
		}.check(t)
	})
}

func FuzzVerifySlack(f *testing.F) {
	f.Fuzz(func(t *testing.T, timestamp, value string, body []byte) {
		verifyCase{
			cfg:      signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{attackSecret}},
			strange:  []string{strangerSecret},
			header:   http.Header{signature.HeaderSlackTimestamp: {timestamp}, signature.HeaderSlack: {value}},
			body:     body,
			signedBy: func() bool { return hexSignedBy(value, "v0:"+timestamp+":"+string(body)) },
		}.check(t)
	})
}

func FuzzVerifyHMAC(f *testing.F) {
	f.Fuzz(func(t *testing.T, name, prefix, value string, inBase64, wide bool, body []byte) {
		format := signature.HMACConfig{Header: name, Prefix: prefix}
		newHash, encode := sha256.New, hex.EncodeToString
		if inBase64 {
			format.Encoding, encode = signature.EncodingBase64, base64.StdEncoding.EncodeToString
		}
		if wide {
			format.Hash, newHash = signature.HashSHA512, func() hash.Hash { return sha512.New() }
		}
		cfg := signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{attackSecret}, HMAC: &format}
		if _, err := signature.NewVerifier(cfg); err != nil {
			require.ErrorIs(t, err, signature.ErrInvalidConfig)
			return
		}
		verifyCase{
			cfg:     cfg,
			strange: []string{strangerSecret},
			header:  http.Header{name: {value}},
			body:    body,
			signedBy: func() bool {
				right := encode(hmacSum(newHash, []byte(attackSecret), string(body)))
				if inBase64 {
					return strings.Contains(value, prefix+right)
				}
				return strings.Contains(strings.ToLower(value), strings.ToLower(prefix+right))
			},
		}.check(t)
	})
}
