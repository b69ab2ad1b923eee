package signature_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/signature"
)

func TestNewVerifierRefuses(t *testing.T) {
	t.Parallel()
	const whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	signingKey, publicKey, err := signature.NewKeyPair()
	require.NoError(t, err)
	hmacConfig := func(c signature.HMACConfig) signature.Config {
		return signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"hush-hush"}, HMAC: &c}
	}
	standard := func(secrets ...string) signature.Config {
		return signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: secrets}
	}
	for name, c := range map[string]struct {
		cfg  signature.Config
		want error
	}{
		"nothing":                          {signature.Config{}, signature.ErrInvalidConfig},
		"unknown scheme":                   {signature.Config{Scheme: "md5", Secrets: []string{"hush-hush"}}, signature.ErrInvalidConfig},
		"scheme in another case":           {signature.Config{Scheme: "Stripe", Secrets: []string{"hush-hush"}}, signature.ErrInvalidConfig},
		"no secrets":                       {signature.Config{Scheme: signature.SchemeGitHub}, signature.ErrInvalidSecret},
		"empty secret":                     {signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{""}}, signature.ErrInvalidSecret},
		"second secret empty":              {signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"hush-hush", ""}}, signature.ErrInvalidSecret},
		"negative tolerance":               {signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"hush-hush"}, Tolerance: -1}, signature.ErrInvalidConfig},
		"HMAC for another scheme":          {signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"hush-hush"}, HMAC: &signature.HMACConfig{Header: "X"}}, signature.ErrInvalidConfig},
		"hmac without HMAC":                {signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"hush-hush"}}, signature.ErrInvalidConfig},
		"no header name":                   {hmacConfig(signature.HMACConfig{}), signature.ErrInvalidConfig},
		"header name with blank":           {hmacConfig(signature.HMACConfig{Header: "X Signature"}), signature.ErrInvalidConfig},
		"header name with line break":      {hmacConfig(signature.HMACConfig{Header: "X-Signature\n"}), signature.ErrInvalidConfig},
		"header name with colon":           {hmacConfig(signature.HMACConfig{Header: "X-Signature:"}), signature.ErrInvalidConfig},
		"header name not ASCII":            {hmacConfig(signature.HMACConfig{Header: "X-Sïgnature"}), signature.ErrInvalidConfig},
		"prefix with blank first":          {hmacConfig(signature.HMACConfig{Header: "X", Prefix: " sha256="}), signature.ErrInvalidConfig},
		"prefix with line break":           {hmacConfig(signature.HMACConfig{Header: "X", Prefix: "sha256=\r\n"}), signature.ErrInvalidConfig},
		"unknown encoding":                 {hmacConfig(signature.HMACConfig{Header: "X", Encoding: "base32"}), signature.ErrInvalidConfig},
		"unknown hash":                     {hmacConfig(signature.HMACConfig{Header: "X", Hash: "sha1"}), signature.ErrInvalidConfig},
		"postrider, other secret":          {signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{"hush-hush"}}, signature.ErrInvalidSecret},
		"postrider, secret with line":      {signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{whsec + "\n"}}, signature.ErrInvalidSecret},
		"postrider, public key":            {signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{publicKey}}, signature.ErrInvalidSecret},
		"standard, other secret":           {standard("hush-hush"), signature.ErrInvalidSecret},
		"standard, nothing after whsec_":   {standard("whsec_"), signature.ErrInvalidSecret},
		"standard, no base64":              {standard("whsec_%%%%"), signature.ErrInvalidSecret},
		"standard, secret with line":       {standard(whsec + "\r\n"), signature.ErrInvalidSecret},
		"too short":                        {signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"seven77"}}, signature.ErrInvalidSecret},
		"postrider, too short":             {signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{"whsec_c2V2ZW43Nw=="}}, signature.ErrInvalidSecret},
		"postrider, bare base64":           {signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{whsec[6:]}}, signature.ErrInvalidSecret},
		"standard, too short":              {standard("whsec_c2V2ZW43Nw=="), signature.ErrInvalidSecret},
		"standard, too much padding":       {standard(whsec + "="), signature.ErrInvalidSecret},
		"standard, prefix twice":           {standard("whsec_" + whsec), signature.ErrInvalidSecret},
		"standard, base64 with line":       {standard(whsec[6:] + "\n"), signature.ErrInvalidSecret},
		"line break behind":                {signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{"hush-hush\n"}}, signature.ErrInvalidSecret},
		"blank before":                     {signature.Config{Scheme: signature.SchemeShopify, Secrets: []string{" hush-hush"}}, signature.ErrInvalidSecret},
		"stripe, API key":                  {signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"sk_" + "test_hush-hush"}}, signature.ErrInvalidSecret},
		"seven secrets":                    {signature.Config{Scheme: signature.SchemeGitHub, Secrets: slices.Repeat([]string{"hush-hush"}, 7)}, signature.ErrInvalidSecret},
		"standard, the sender's key":       {standard(signingKey), signature.ErrInvalidSecret},
		"standard, short public key":       {standard("whpk_AAAA"), signature.ErrInvalidSecret},
		"standard, second secret unusable": {standard(whsec, "whsec"), signature.ErrInvalidSecret},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verifier, err := signature.NewVerifier(c.cfg)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, verifier)
			requireNoLeak(t, err, "hush-hush", "MfKQ", signingKey[len("whsk_"):], publicKey[len("whpk_"):])

			if c.cfg.Scheme != signature.SchemeStandardWebhooks || c.cfg.Secrets[0] != signingKey {
				_, err = signature.Sign(c.cfg, "dlv_1", time.Unix(attackUnix, 0), nil)
				require.ErrorIs(t, err, c.want, "Sign takes what NewVerifier takes")
			}
		})
	}
}

func TestNewVerifierNamesEveryFault(t *testing.T) {
	t.Parallel()
	_, err := signature.NewVerifier(signature.Config{
		Scheme:    signature.SchemeHMAC,
		Secrets:   []string{"hush-hush", ""},
		Tolerance: -time.Second,
		HMAC:      &signature.HMACConfig{Header: "X Y", Hash: "md5"},
	})
	require.ErrorIs(t, err, signature.ErrInvalidConfig)
	require.ErrorIs(t, err, signature.ErrInvalidSecret)
	for _, fault := range []string{"tolerance", "HMAC.Header", "HMAC.Hash", "secret 2 of 2"} {
		require.ErrorContains(t, err, fault)
	}
}

func TestZeroVerifierRefuses(t *testing.T) {
	t.Parallel()
	var verifier signature.Verifier
	require.ErrorIs(t, verifier.Verify(http.Header{}, nil), signature.ErrInvalidConfig)
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	for _, scheme := range []signature.Scheme{
		signature.SchemePostrider, signature.SchemeStripe, signature.SchemeStandardWebhooks, signature.SchemeSlack,
	} {
		for name, c := range map[string]struct {
			tolerance, offset time.Duration
			want              error
			signedAt          int64
		}{
			"default, same moment":         {0, 0, nil, attackUnix},
			"default, last moment":         {0, 5 * time.Minute, nil, attackUnix},
			"default, first moment":        {0, -5 * time.Minute, nil, attackUnix},
			"default, a nanosecond late":   {0, 5*time.Minute + 1, outside, attackUnix},
			"default, a nanosecond early":  {0, -5*time.Minute - 1, outside, attackUnix},
			"a minute, last moment":        {time.Minute, time.Minute, nil, attackUnix},
			"a minute, a second late":      {time.Minute, 61 * time.Second, outside, attackUnix},
			"a minute, a second early":     {time.Minute, -61 * time.Second, outside, attackUnix},
			"an hour, half an hour late":   {time.Hour, 30 * time.Minute, nil, attackUnix},
			"beyond what a Duration holds": {0, 0, outside, 999_999_999_999_999},
		} {
			t.Run(string(scheme)+" "+name, func(t *testing.T) {
				t.Parallel()
				at := time.Unix(c.signedAt, 0)
				now := time.Unix(attackUnix, 0).Add(c.offset)
				cfg := signature.Config{
					Scheme:    scheme,
					Secrets:   []string{attackSecret},
					Tolerance: c.tolerance,
					Now:       func() time.Time { return now },
				}
				header, err := signature.Sign(cfg, "dlv_1", at, []byte(attackBody))
				require.NoError(t, err)
				verifier, err := signature.NewVerifier(cfg)
				require.NoError(t, err)
				require.ErrorIs(t, verifier.Verify(header, []byte(attackBody)), c.want)
				require.ErrorIs(t, verifier.Verify(header, []byte("other")), mismatch, "the signature is judged first")
			})
		}
	}
}

// TestDefaultClock checks that the clock runs when none is given.
func TestDefaultClock(t *testing.T) {
	t.Parallel()
	cfg := signature.Config{Scheme: signature.SchemeSlack, Secrets: []string{"hush-hush"}}
	verifier, err := signature.NewVerifier(cfg)
	require.NoError(t, err)
	fresh, err := signature.Sign(cfg, "", time.Now(), nil)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(fresh, nil))
	stale, err := signature.Sign(cfg, "", time.Now().Add(-time.Hour), nil)
	require.NoError(t, err)
	require.ErrorIs(t, verifier.Verify(stale, nil), outside)
}

// allSchemes holds one configuration of every scheme.
func allSchemes(secrets ...string) map[string]signature.Config {
	configs := map[string]signature.Config{}
	for _, scheme := range []signature.Scheme{
		signature.SchemePostrider, signature.SchemeStandardWebhooks, signature.SchemeStripe,
		signature.SchemeGitHub, signature.SchemeShopify, signature.SchemeSlack,
	} {
		configs[string(scheme)] = signature.Config{Scheme: scheme}
	}
	for _, hash := range []signature.Hash{"", signature.HashSHA256, signature.HashSHA512} {
		for _, encoding := range []signature.Encoding{"", signature.EncodingHex, signature.EncodingBase64} {
			configs[fmt.Sprintf("hmac %s %s", hash, encoding)] = signature.Config{
				Scheme: signature.SchemeHMAC,
				HMAC:   &signature.HMACConfig{Header: "x-signature", Prefix: "mac ", Encoding: encoding, Hash: hash},
			}
		}
	}
	for name, cfg := range configs {
		cfg.Secrets = secrets
		cfg.Now = func() time.Time { return time.Unix(attackUnix, 0) }
		configs[name] = cfg
	}
	return configs
}

// TestRotation checks that every secret of a list verifies, and no other.
func TestRotation(t *testing.T) {
	t.Parallel()
	current, previous, stranger := newSecret(t), newSecret(t), newSecret(t)
	for name, cfg := range allSchemes(current, previous) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verifier, err := signature.NewVerifier(cfg)
			require.NoError(t, err)
			for secret, want := range map[string]error{current: nil, previous: nil, stranger: mismatch} {
				signing := cfg
				signing.Secrets = []string{secret}
				header, err := signature.Sign(signing, "dlv_1", time.Unix(attackUnix, 0), []byte(attackBody))
				require.NoError(t, err)
				require.ErrorIs(t, verifier.Verify(header, []byte(attackBody)), want)
			}

			// What is signed with all of them verifies with the first alone.
			header, err := signature.Sign(cfg, "dlv_1", time.Unix(attackUnix, 0), []byte(attackBody))
			require.NoError(t, err)
			alone := cfg
			alone.Secrets = []string{current}
			verifier, err = signature.NewVerifier(alone)
			require.NoError(t, err)
			require.NoError(t, verifier.Verify(header, []byte(attackBody)))
		})
	}
}

// TestHeaderNames checks that names match in any case, and that one name in two
// cases counts as repeated.
func TestHeaderNames(t *testing.T) {
	t.Parallel()
	for name, cfg := range allSchemes(newSecret(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verifier, err := signature.NewVerifier(cfg)
			require.NoError(t, err)
			signed, err := signature.Sign(cfg, "dlv_1", time.Unix(attackUnix, 0), []byte(attackBody))
			require.NoError(t, err)
			require.NotEmpty(t, signed)

			for _, spell := range []func(string) string{strings.ToLower, strings.ToUpper} {
				header := http.Header{"Host": {"example.com"}, "Content-Type": {"application/json"}}
				for key, values := range signed {
					header[spell(key)] = values
				}
				require.NoError(t, verifier.Verify(header, []byte(attackBody)))

				for key := range signed {
					repeated := header.Clone()
					repeated[key] = signed[key]
					require.ErrorIs(t, verifier.Verify(repeated, []byte(attackBody)), malformed, key)
				}
			}
		})
	}
}

// TestHeaderNameLookalike checks that the Kelvin sign is no k.
func TestHeaderNameLookalike(t *testing.T) {
	t.Parallel()
	secret := newSecret(t)
	signer, err := signature.NewSigner(secret)
	require.NoError(t, err)
	at := time.Unix(attackUnix, 0)
	header := http.Header{"X-Webhoo\u212a-Signature": {signer.Postrider(at, nil)}}
	require.ErrorIs(t, newVerifier(t, signature.SchemePostrider, at, secret).Verify(header, nil), noSignature)
}

// TestHMACFormats compares the configurable scheme with the same made by hand.
func TestHMACFormats(t *testing.T) {
	t.Parallel()
	sum256 := hmacSum(sha256.New, []byte("hush-hush"), attackBody)
	sum512 := hmacSum(sha512.New, []byte("hush-hush"), attackBody)
	for name, c := range map[string]struct {
		cfg   signature.HMACConfig
		value string
		want  error
	}{
		"defaults":               {signature.HMACConfig{}, hex.EncodeToString(sum256), nil},
		"base64":                 {signature.HMACConfig{Encoding: signature.EncodingBase64}, base64.StdEncoding.EncodeToString(sum256), nil},
		"SHA-512":                {signature.HMACConfig{Hash: signature.HashSHA512}, hex.EncodeToString(sum512), nil},
		"SHA-512 base64 prefix":  {signature.HMACConfig{Hash: signature.HashSHA512, Encoding: signature.EncodingBase64, Prefix: "HMAC "}, "HMAC " + base64.StdEncoding.EncodeToString(sum512), nil},
		"SHA-256 for SHA-512":    {signature.HMACConfig{Hash: signature.HashSHA512}, hex.EncodeToString(sum256), mismatch},
		"SHA-512 for SHA-256":    {signature.HMACConfig{Hash: signature.HashSHA256}, hex.EncodeToString(sum512), mismatch},
		"half of SHA-512":        {signature.HMACConfig{Hash: signature.HashSHA512}, hex.EncodeToString(sum512[:32]), mismatch},
		"prefix not expected":    {signature.HMACConfig{}, "sha256=" + hex.EncodeToString(sum256), malformed},
		"prefix missing":         {signature.HMACConfig{Prefix: "sha256="}, hex.EncodeToString(sum256), malformed},
		"prefix in another case": {signature.HMACConfig{Prefix: "sha256="}, "Sha256=" + hex.EncodeToString(sum256), malformed},
		"prefix alone":           {signature.HMACConfig{Prefix: "sha256="}, "sha256=", malformed},
		"hex for base64":         {signature.HMACConfig{Encoding: signature.EncodingBase64}, hex.EncodeToString(sum256), mismatch},
		"base64 for hex":         {signature.HMACConfig{}, base64.StdEncoding.EncodeToString(sum256), malformed},
		"empty":                  {signature.HMACConfig{}, "", noSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.cfg.Header = "x-signature"
			verifier, err := signature.NewVerifier(signature.Config{Scheme: signature.SchemeHMAC, Secrets: []string{"hush-hush"}, HMAC: &c.cfg})
			require.NoError(t, err)
			header := http.Header{}
			header.Set("X-Signature", c.value)
			require.ErrorIs(t, verifier.Verify(header, []byte(attackBody)), c.want)
		})
	}
}

// TestSignRefusesWhatNoVerifierAccepts checks ids and timestamps.
func TestSignRefusesWhatNoVerifierAccepts(t *testing.T) {
	t.Parallel()
	at := time.Unix(attackUnix, 0)
	standard := signature.Config{Scheme: signature.SchemeStandardWebhooks, Secrets: []string{attackSecret}}
	for _, id := range []string{"", "dlv.1"} {
		_, err := signature.Sign(standard, id, at, nil)
		require.ErrorIs(t, err, malformed)
	}
	for _, scheme := range []signature.Scheme{
		signature.SchemePostrider, signature.SchemeStripe, signature.SchemeStandardWebhooks, signature.SchemeSlack,
	} {
		_, err := signature.Sign(signature.Config{Scheme: scheme, Secrets: []string{attackSecret}}, "dlv_1", time.Time{}, nil)
		require.ErrorIs(t, err, malformed)
	}
	_, err := signature.Sign(signature.Config{Scheme: signature.SchemeGitHub, Secrets: []string{"hush-hush"}}, "", time.Time{}, nil)
	require.NoError(t, err)
}

// TestConfigHidesSecrets prints a configuration in every way.
func TestConfigHidesSecrets(t *testing.T) {
	t.Parallel()
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{"hush-hush"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, cfg), "hush-hush", verb)
		require.NotContains(t, fmt.Sprintf(verb, &cfg), "hush-hush", verb)
		require.Contains(t, fmt.Sprintf(verb, cfg), "stripe", verb)
	}
	verifier, err := signature.NewVerifier(cfg)
	require.NoError(t, err)
	requireNotPrinted(t, verifier, []byte("hush-hush"))
}

// requireNotPrinted prints a value and looks for the key as text, as hex and as
// a list of numbers.
func requireNotPrinted(t *testing.T, value any, key []byte) {
	t.Helper()
	numbers := fmt.Sprintf("%v", key)
	goNumbers := fmt.Sprintf("%#v", key)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		printed := fmt.Sprintf(verb, value)
		require.NotContains(t, printed, string(key), verb)
		require.NotContains(t, printed, hex.EncodeToString(key), verb)
		require.NotContains(t, printed, numbers[1:len(numbers)-1], verb)
		require.NotContains(t, printed, goNumbers[len("[]byte{"):len(goNumbers)-1], verb)
	}
}
