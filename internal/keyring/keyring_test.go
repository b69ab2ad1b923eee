package keyring_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/keyring"
)

const shortSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA="

func TestKeyringOpensWhatItSealed(t *testing.T) {
	t.Parallel()
	ring := ringOf(t, 1)
	for _, secret := range []string{"", "x", shortSecret, string(make([]byte, 4096))} {
		sealed := ring.Seal(secret, "wh_a")
		got, err := ring.Open(sealed, "wh_a")
		require.NoError(t, err)
		require.Equal(t, secret, got)
		if secret == shortSecret {
			require.NotContains(t, string(sealed), secret[:10])
		}
		require.NotEqual(t, sealed, ring.Seal(secret, "wh_a"), "each has a nonce of its own")
	}
}

func TestKeyringRefuses(t *testing.T) {
	t.Parallel()
	ring := ringOf(t, 1)
	sealed := ring.Seal(shortSecret, "wh_a")
	refused := func(ring *keyring.Keyring, sealed []byte, rowID, why string) {
		t.Helper()
		secret, err := ring.Open(sealed, rowID)
		require.ErrorIs(t, err, keyring.ErrDecrypt, why)
		require.Empty(t, secret, why)
	}
	refused(ring, sealed, "wh_b", "moved to another row")
	refused(ring, sealed, "", "without a row")
	refused(ringOf(t, 2), sealed, "wh_a", "another key")
	for i := range sealed {
		tampered := bytes.Clone(sealed)
		tampered[i] ^= 1
		refused(ring, tampered, "wh_a", "a changed byte")
	}
	for length := range len(sealed) {
		refused(ring, sealed[:length], "wh_a", "a cut")
	}
	refused(ring, append(bytes.Clone(sealed), 0), "wh_a", "an addition")
	refused(ring, nil, "wh_a", "nothing")
}

func TestKeyringReplacesAKey(t *testing.T) {
	t.Parallel()
	old := ringOf(t, 1).Seal(shortSecret, "wh_a")
	both := ringOf(t, 2, 1)
	got, err := both.Open(old, "wh_a")
	require.NoError(t, err)
	require.Equal(t, shortSecret, got)

	fresh := both.Seal(shortSecret, "wh_a")
	got, err = ringOf(t, 2).Open(fresh, "wh_a")
	require.NoError(t, err, "the first key seals")
	require.Equal(t, shortSecret, got)
	_, err = ringOf(t, 1).Open(fresh, "wh_a")
	require.ErrorIs(t, err, keyring.ErrDecrypt)
}

func TestEncryptionKeys(t *testing.T) {
	t.Parallel()
	made := keyring.NewKey()
	require.NotEqual(t, made, keyring.NewKey())
	key, err := keyring.ParseKey(made)
	require.NoError(t, err)
	require.Len(t, key, keyring.KeyBytes)

	for _, bad := range []string{
		"", "x", made[:43], made + "=", base64.StdEncoding.EncodeToString(make([]byte, 16)),
		base64.StdEncoding.EncodeToString(make([]byte, 33)), "'" + made[1:],
	} {
		_, err := keyring.ParseKey(bad)
		require.Error(t, err, bad)
		if bad != "" && bad != "x" {
			require.NotContains(t, err.Error(), bad, "a key that is almost right is still a secret")
		}
	}

	_, err = keyring.New()
	require.Error(t, err)
	_, err = keyring.New(key, key[:31])
	require.ErrorContains(t, err, "key 2 has 31 bytes")
}

// ringOf returns a ring of keys that the numbers stand for.
func ringOf(t *testing.T, numbers ...byte) *keyring.Keyring {
	t.Helper()
	var keys [][]byte
	for _, number := range numbers {
		keys = append(keys, bytes.Repeat([]byte{number}, keyring.KeyBytes))
	}
	ring, err := keyring.New(keys...)
	require.NoError(t, err)
	return ring
}
