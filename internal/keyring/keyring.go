// Package keyring seals what must stay secret in the database, with keys that can be changed.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// KeyBytes is the length of an encryption key: AES-256.
const KeyBytes = 32

// ErrDecrypt says that a stored secret cannot be read with the configured encryption keys.
var ErrDecrypt = errors.New("secret cannot be decrypted with the configured encryption key")

const (
	sealVersion = 1
	keyIDBytes  = 4
	// PrefixBytes are the version and the key ID.
	PrefixBytes = 1 + keyIDBytes
)

// Keyring encrypts secrets at rest with AES-256-GCM (NIST SP 800-38D). A sealed secret is
//
//	version (1 byte) | key ID (4 bytes) | nonce (12 bytes) | ciphertext and tag
//
// and is bound to the ID of the row it belongs to, so that it cannot be moved to another one. The key ID, the
// first bytes of the key's SHA-256, lets several keys be in use while one replaces another.
type Keyring struct {
	current keyID
	ciphers map[keyID]cipher.AEAD
}

type keyID [keyIDBytes]byte

// NewKey makes a random key in the form that ParseEncryptionKey reads.
func NewKey() string {
	var key [KeyBytes]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(key[:])
}

// ParseKey reads a key: 32 bytes in standard base64.
func ParseKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != KeyBytes {
		return nil, fmt.Errorf("an encryption key is %d bytes in base64; make one with: openssl rand -base64 %d", KeyBytes, KeyBytes)
	}
	return key, nil
}

// New seals with the first key and opens with any of them.
func New(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("a keyring needs an encryption key")
	}
	ring := &Keyring{ciphers: make(map[keyID]cipher.AEAD, len(keys))}
	for i, key := range keys {
		if len(key) != KeyBytes {
			return nil, fmt.Errorf("encryption key %d has %d bytes instead of %d", i+1, len(key), KeyBytes)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(key)
		id := keyID(sum[:keyIDBytes])
		ring.ciphers[id] = aead
		if i == 0 {
			ring.current = id
		}
	}
	return ring, nil
}

// Prefix begins what the ring seals.
func (k *Keyring) Prefix() []byte { return append([]byte{sealVersion}, k.current[:]...) }

// Seal encrypts a secret of the row with the given ID.
func (k *Keyring) Seal(secret, rowID string) []byte {
	aead := k.ciphers[k.current]
	sealed := make([]byte, 0, PrefixBytes+aead.NonceSize()+len(secret)+aead.Overhead())
	sealed = append(sealed, k.Prefix()...)
	sealed = sealed[:len(sealed)+aead.NonceSize()]
	nonce := sealed[PrefixBytes:]
	_, _ = rand.Read(nonce)
	return aead.Seal(sealed, nonce, []byte(secret), []byte(rowID))
}

// Open decrypts what Seal returned for the same row. It returns ErrDecrypt when the key is not on the ring
// or the bytes were changed.
func (k *Keyring) Open(sealed []byte, rowID string) (string, error) {
	if len(sealed) < PrefixBytes || sealed[0] != sealVersion {
		return "", ErrDecrypt
	}
	aead, ok := k.ciphers[keyID(sealed[1:PrefixBytes])]
	if !ok {
		return "", ErrDecrypt
	}
	rest := sealed[PrefixBytes:]
	if len(rest) < aead.NonceSize() {
		return "", ErrDecrypt
	}
	secret, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], []byte(rowID))
	if err != nil {
		return "", ErrDecrypt
	}
	return string(secret), nil
}
