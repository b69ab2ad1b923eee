package signature

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The seeds of all fuzz tests are in testdata/fuzz.

func FuzzParseTimestamp(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		unix, ok := parseTimestamp(value)
		if !ok {
			require.Zero(t, unix)
			return
		}
		require.Equal(t, value, strconv.FormatInt(unix, 10), "one time, one spelling")
	})
}

func FuzzParseTimestamped(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		parsed, err := parseTimestamped(HeaderPostrider, value)
		if err != nil {
			require.True(t, errors.Is(err, ErrMalformedHeader) || errors.Is(err, ErrNoSignature), "%v", err)
			require.Zero(t, parsed)
			return
		}
		entries := strings.Split(value, ",")
		require.LessOrEqual(t, len(entries), maxEntries)
		require.Contains(t, entries, "t="+strconv.FormatInt(parsed.unix, 10))
		require.NotEmpty(t, parsed.v1)
		lowered := strings.Split(strings.ToLower(value), ",")
		for _, raw := range parsed.v1 {
			require.NotEmpty(t, raw)
			require.Contains(t, lowered, "v1="+EncodingHex.encode(raw))
		}
	})
}

func FuzzParseStandard(f *testing.F) {
	f.Fuzz(func(t *testing.T, value string) {
		parsed, err := parseStandard(HeaderSignature, value)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformedHeader)
			require.Zero(t, parsed)
			return
		}
		entries := strings.Split(value, " ")
		require.LessOrEqual(t, len(entries), maxEntries)
		for _, raw := range parsed.v1 {
			require.NotEmpty(t, raw)
			require.Contains(t, entries, "v1,"+EncodingBase64.encode(raw))
		}
		for _, raw := range parsed.v1a {
			require.NotEmpty(t, raw)
			require.Contains(t, entries, "v1a,"+EncodingBase64.encode(raw))
		}
	})
}

func FuzzParseSingle(f *testing.F) {
	f.Fuzz(func(t *testing.T, prefix, value string, in64 bool) {
		l := layout{header: "X-Signature", prefix: prefix, encoding: EncodingHex}
		if in64 {
			l.encoding = EncodingBase64
		}
		raw, err := l.parseSingle(value)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformedHeader)
			require.Nil(t, raw)
			return
		}
		require.NotEmpty(t, raw)
		text, found := strings.CutPrefix(value, prefix)
		require.True(t, found)
		if !in64 {
			text = strings.ToLower(text)
		}
		require.Equal(t, text, l.encoding.encode(raw))
	})
}

func FuzzParseSignatureList(f *testing.F) {
	f.Fuzz(func(t *testing.T, prefix, value string, in64 bool) {
		l := layout{header: "X-Signature", prefix: prefix, encoding: EncodingHex, list: true}
		if in64 {
			l.encoding = EncodingBase64
		}
		candidates, err := l.parse(value)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformedHeader)
			return
		}
		require.NotEmpty(t, candidates)
		require.LessOrEqual(t, len(candidates), maxSignatures)
		for _, raw := range candidates {
			require.NotEmpty(t, raw)
			require.Contains(t, strings.ToLower(value), strings.ToLower(prefix+l.encoding.encode(raw)))
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	f.Fuzz(func(t *testing.T, key string) {
		for _, err := range []error{
			second(decodeSecret(key)), second(decodeSigningKey(key)), second(decodePublicKey(key)),
		} {
			if err != nil {
				require.ErrorIs(t, err, ErrInvalidSecret)
			}
		}
		if raw, err := decodeAnySecret(key); err == nil {
			require.GreaterOrEqual(t, len(raw), MinSecretBytes)
			padded, err := decodeSecret(prefixSecret + base64.StdEncoding.EncodeToString(raw))
			require.NoError(t, err)
			require.Equal(t, raw, padded)
		} else {
			require.ErrorIs(t, err, ErrInvalidSecret)
		}
		if raw, err := decodeSecret(key); err == nil {
			require.NotEmpty(t, raw)
			require.True(t, strings.HasPrefix(key, "whsec_"))
			require.NotContains(t, key, "\n")
			_, err := NewSigner(key)
			require.NoError(t, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }
