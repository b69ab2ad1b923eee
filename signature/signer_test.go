package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

func TestNewSecret(t *testing.T) {
	t.Parallel()
	first, second := newSecret(t), newSecret(t)
	require.NotEqual(t, first, second)
	encoded, found := strings.CutPrefix(first, "whsec_")
	require.True(t, found)
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	require.NoError(t, err)
	require.Len(t, raw, 32)
}

func TestNewSignerRefuses(t *testing.T) {
	t.Parallel()
	right := newSecret(t)
	_, publicKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	for name, secrets := range map[string][]string{
		"none":            nil,
		"empty":           {""},
		"prefix alone":    {"whsec_"},
		"too short":       {strings.Repeat("x", 15)},
		"too long":        {strings.Repeat("x", 129)},
		"blank within":    {"sixteen and more characters"},
		"not ASCII":       {"sixteen-characters-ü"},
		"another case":    {strings.ToUpper(right)},
		"no base64":       {"whsec_not base64"},
		"line break":      {right + "\n"},
		"blank before":    {" " + right},
		"without padding": {strings.TrimRight(right, "=")},
		"public key":      {publicKey},
		"second unusable": {right, "hush"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer, err := signature.NewSigner(secrets...)
			require.ErrorIs(t, err, signature.ErrInvalidSecret)
			require.Nil(t, signer)
			requireNoLeak(t, err, right, strings.TrimPrefix(right, "whsec_"), "hush")
		})
	}
}

// TestSignerOfATextSecret checks that a secret of another form than whsec_ keys
// both headers with its own bytes.
func TestSignerOfATextSecret(t *testing.T) {
	t.Parallel()
	at, body := time.Unix(attackUnix, 0), []byte(attackBody)
	for _, secret := range []string{"0123456789abcdef", strings.Repeat("~", 128), "bmFrZWQgYmFzZTY0"} {
		signer, err := signature.NewSigner(secret)
		require.NoError(t, err)
		mac := func(text string) []byte {
			h := hmac.New(sha256.New, []byte(secret))
			h.Write([]byte(text))
			return h.Sum(nil)
		}
		unix := strconv.FormatInt(attackUnix, 10)
		require.Equal(t, "t="+unix+",v1="+hex.EncodeToString(mac(unix+"."+attackBody)), signer.Postrider(at, body))
		require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac("dlv_1."+unix+"."+attackBody)), signer.Standard("dlv_1", at, body))
	}
}

// TestSignerOrder checks that the current secret signs first, so that receivers
// which read only one signature read that one.
func TestSignerOrder(t *testing.T) {
	t.Parallel()
	current, previous := newSecret(t), newSecret(t)
	at, body := time.Unix(attackUnix, 0), []byte(attackBody)
	first, err := signature.NewSigner(current)
	require.NoError(t, err)
	second, err := signature.NewSigner(previous)
	require.NoError(t, err)
	both, err := signature.NewSigner(current, previous)
	require.NoError(t, err)

	require.Equal(t, first.Postrider(at, body)+strings.TrimPrefix(second.Postrider(at, body), "t=1767225600"), both.Postrider(at, body))
	require.Equal(t, first.Standard("dlv_1", at, body)+" "+second.Standard("dlv_1", at, body), both.Standard("dlv_1", at, body))
}

// TestSignerReuse checks that nothing of one call is left for the next, with ids
// and bodies around the sizes of the buffers within.
func TestSignerReuse(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	kept, err := signature.NewSigner(secret)
	require.NoError(t, err)
	for _, size := range []int{1000, 0, 1, 63, 64, 65, 95, 96, 97, 127, 128, 129, 300, 5} {
		id, body := strings.Repeat("i", size), bytes.Repeat([]byte("b"), size)
		at := time.Unix(attackUnix+int64(size), int64(size))
		fresh, err := signature.NewSigner(secret)
		require.NoError(t, err)
		require.Equal(t, fresh.Postrider(at, body), kept.Postrider(at, body))
		value := kept.Standard(id, at, body)
		require.Equal(t, fresh.Standard(id, at, body), value)
		if id != "" {
			verifier := newVerifier(t, signature.SchemeStandardWebhooks, at, secret)
			require.NoError(t, verifier.Verify(standardHeaders(id, at, value), body))
		}
	}
}

// TestConcurrentUse signs and verifies from several goroutines; each must get
// the result for its own body.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	at := time.Unix(attackUnix, 0)
	signer, err := signature.NewSigner(secret, newSecret(t))
	require.NoError(t, err)
	verifier := newVerifier(t, signature.SchemeStandardWebhooks, at, secret)

	const goroutines, rounds = 8, 200
	faults := make([]error, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for round := range rounds {
				body := bytes.Repeat([]byte{byte(g), byte(round)}, 100)
				header := standardHeaders("dlv_1", at, signer.Standard("dlv_1", at, body))
				if err := verifier.Verify(header, body); err != nil {
					faults[g] = err
				}
			}
		})
	}
	wg.Wait()
	for _, fault := range faults {
		require.NoError(t, fault)
	}
}

// TestSignerAllocations holds each signature to its one string. It cannot run
// in parallel with others.
func TestSignerAllocations(t *testing.T) { //nolint:paralleltest // counts the allocations of the whole process
	signer, err := signature.NewSigner(newSecret(t), newSecret(t))
	require.NoError(t, err)
	at, body := time.Unix(attackUnix, 0), []byte(attackBody)
	require.InDelta(t, 1, testing.AllocsPerRun(100, func() { signer.Postrider(at, body) }), 0)
	require.InDelta(t, 1, testing.AllocsPerRun(100, func() {
		signer.Standard("dlv_01890a5d-ac96-774b-bcce-b302099a8057", at, body)
	}), 0)
}

func TestSignerHidesKeys(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	require.NoError(t, err)
	signer, err := signature.NewSigner(secret)
	require.NoError(t, err)
	signer.Postrider(time.Unix(attackUnix, 0), nil)
	requireNotPrinted(t, signer, []byte(secret))
	requireNotPrinted(t, signer, raw)
	requireNotPrinted(t, *signer, raw)
}

// TestFullStopInID shows why verifiers refuse ids with a full stop: the same
// bytes are signed for two different requests.
func TestFullStopInID(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	signer, err := signature.NewSigner(secret)
	require.NoError(t, err)
	at, later := time.Unix(attackUnix, 0), time.Unix(attackUnix+3600, 0)
	value := signer.Standard("dlv_1", at, []byte("1767229200.{}"))
	require.Equal(t, value, signer.Standard("dlv_1.1767225600", later, []byte("{}")))

	verifier := newVerifier(t, signature.SchemeStandardWebhooks, later, secret)
	require.ErrorIs(t, verifier.Verify(standardHeaders("dlv_1.1767225600", later, value), []byte("{}")), malformed)
}
