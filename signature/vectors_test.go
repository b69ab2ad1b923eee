package signature_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

type vector struct {
	Scheme     string            `json:"scheme"`
	Source     string            `json:"source"`
	Why        string            `json:"why"`
	Secret     string            `json:"secret"`
	SigningKey string            `json:"signing_key"`
	Now        int64             `json:"now"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	Valid      bool              `json:"valid"`
}

// vectorErrors gives the error for the reason of each invalid vector.
var vectorErrors = map[string]error{
	"empty signature value (CVE-2024-21491)": signature.ErrMalformedHeader,
	"a prefix of the right signature":        signature.ErrSignatureMismatch,
	"no version":                             signature.ErrMalformedHeader,
	"unknown version only":                   signature.ErrNoSignature,
	"not base64":                             signature.ErrMalformedHeader,
	"clock +301 s off, tolerance 300 s":      signature.ErrTimestampOutsideTolerance,
	"clock -301 s off, tolerance 300 s":      signature.ErrTimestampOutsideTolerance,
	"timestamp is no number":                 signature.ErrMalformedHeader,
	"missing id":                             signature.ErrMalformedHeader,
	"body changed by one space":              signature.ErrSignatureMismatch,
	"SHA-1 header only: a downgrade":         signature.ErrNoSignature,
	"bare hex without sha256=":               signature.ErrMalformedHeader,
	"v0 only: a downgrade":                   signature.ErrNoSignature,
	"no t":                                   signature.ErrMalformedHeader,
	"t is no number":                         signature.ErrMalformedHeader,
	"empty":                                  signature.ErrNoSignature,
	"empty v1":                               signature.ErrMalformedHeader,
	"301 s old, tolerance 300 s":             signature.ErrTimestampOutsideTolerance,
	"hex in place of base64":                 signature.ErrSignatureMismatch, // 64 hex digits are base64 too
	"5 min 1 s old":                          signature.ErrTimestampOutsideTolerance,
}

func TestVectors(t *testing.T) {
	t.Parallel()
	vectors := readVectors(t)
	seen := map[string]bool{}
	for i, v := range vectors {
		seen[v.Why] = true
		t.Run(strconv.Itoa(i)+" "+v.Scheme+" "+v.Source+v.Why, func(t *testing.T) {
			t.Parallel()
			verifier, err := signature.NewVerifier(v.config(v.Secret))
			require.NoError(t, err)
			err = verifier.Verify(v.header(), []byte(v.Body))
			if v.Valid {
				require.NoError(t, err)
				return
			}
			require.Contains(t, vectorErrors, v.Why, "an invalid vector needs its error here")
			require.ErrorIs(t, err, vectorErrors[v.Why])
		})
	}
	for why := range vectorErrors {
		require.True(t, seen[why], "no vector for %q", why)
	}
}

// TestVectorsSign makes the signature of every valid vector anew.
func TestVectorsSign(t *testing.T) {
	t.Parallel()
	for i, v := range readVectors(t) {
		if !v.Valid {
			continue
		}
		t.Run(strconv.Itoa(i)+" "+v.Scheme+" "+v.Source+v.Why, func(t *testing.T) {
			t.Parallel()
			secret := v.Secret
			if v.SigningKey != "" {
				secret = v.SigningKey
			}
			signed, err := signature.Sign(v.config(secret), v.Headers[signature.HeaderID], v.signedAt(t), []byte(v.Body))
			require.NoError(t, err)
			require.NotEmpty(t, signed)
			for name := range signed {
				given := v.header().Get(name)
				if v.Source == "" { // a variation: other entries stand beside ours, or in another order
					separator := " "
					if name == signature.HeaderStripe {
						separator = ","
					}
					require.Subset(t, strings.Split(given, separator), strings.Split(signed.Get(name), separator))
					continue
				}
				require.Equal(t, given, signed.Get(name), name)
			}
		})
	}
}

// TestVectorsSigner checks both headers of one Postrider request.
func TestVectorsSigner(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, v := range readVectors(t) {
		if v.Scheme != string(signature.SchemePostrider) {
			continue
		}
		checked++
		signer, err := signature.NewSigner(v.Secret)
		require.NoError(t, err)
		at := time.Unix(v.Now, 0)
		require.Equal(t, v.Headers[signature.HeaderPostrider], signer.Postrider(at, []byte(v.Body)))
		require.Equal(t, v.Headers[signature.HeaderSignature], signer.Standard(v.Headers[signature.HeaderID], at, []byte(v.Body)))

		cfg := v.config(v.Secret)
		cfg.Scheme = signature.SchemeStandardWebhooks
		verifier, err := signature.NewVerifier(cfg)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(v.header(), []byte(v.Body)))
	}
	require.Positive(t, checked)
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	raw, err := os.ReadFile("testdata/signature-vectors.json")
	require.NoError(t, err)
	var vectors []vector
	require.NoError(t, json.Unmarshal(raw, &vectors))
	require.NotEmpty(t, vectors)
	return vectors
}

func (v vector) config(secret string) signature.Config {
	scheme := signature.Scheme(v.Scheme)
	if v.Scheme == "standard-webhooks-ed25519" {
		scheme = signature.SchemeStandardWebhooks
	}
	return signature.Config{
		Scheme:  scheme,
		Secrets: []string{secret},
		Now:     func() time.Time { return time.Unix(v.Now, 0) },
	}
}

func (v vector) header() http.Header {
	header := http.Header{}
	for name, value := range v.Headers {
		header.Set(name, value)
	}
	return header
}

// signedAt finds the signed timestamp; schemes without one take any.
func (v vector) signedAt(t *testing.T) time.Time {
	t.Helper()
	text := v.Headers[signature.HeaderTimestamp] + v.Headers[signature.HeaderSlackTimestamp]
	for entry := range strings.SplitSeq(v.Headers[signature.HeaderStripe], ",") {
		if unix, found := strings.CutPrefix(entry, "t="); found {
			text = unix
		}
	}
	if text == "" {
		return time.Unix(v.Now, 0)
	}
	unix, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return time.Unix(unix, 0)
}
