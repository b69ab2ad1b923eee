package signature

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Prefixes of serialized keys, from Standard Webhooks.
const (
	prefixSecret     = "whsec_"
	prefixSigningKey = PrefixSigningKey
	prefixPublicKey  = "whpk_"
)

// PrefixSigningKey begins a private key for an [Ed25519Signer], and no other secret.
const PrefixSigningKey = "whsk_"

// secretBytes is the size of new secrets, the block that HMAC-SHA256 puts out.
const secretBytes = 32

// What secrets a [Verifier] takes: each costs a pass over the body of every request,
// and what is shorter can be guessed.
const (
	MaxSecrets     = 5
	MinSecretBytes = 8
)

// maxSigning is how many secrets sign side by side: the current one and those that
// a Verifier can still have.
const maxSigning = MaxSecrets + 1

func checkSecretCount(secrets []string, most int) error {
	switch {
	case len(secrets) == 0:
		return fmt.Errorf("%w: none given", ErrInvalidSecret)
	case len(secrets) > most:
		return fmt.Errorf("%w: %d given, at most %d can be used at once", ErrInvalidSecret, len(secrets), most)
	}
	return nil
}

func checkLength(key int) error {
	if key < MinSecretBytes {
		return fmt.Errorf("%w: is shorter than %d bytes", ErrInvalidSecret, MinSecretBytes)
	}
	return nil
}

// stripeAPIKeys begin the keys that are taken for Stripe's signing secret.
var stripeAPIKeys = []string{"sk_", "pk_", "rk_"}

// checkTextSecret checks a secret whose characters are the key.
func checkTextSecret(scheme Scheme, secret string) error {
	switch {
	case scheme == SchemePostrider:
		raw, err := decodeSecret(secret)
		if err != nil {
			return err
		}
		return checkLength(len(raw))
	case secret == "":
		return fmt.Errorf("%w: is empty", ErrInvalidSecret)
	case strings.TrimSpace(secret) != secret:
		return fmt.Errorf("%w: begins or ends with white space", ErrInvalidSecret)
	case scheme == SchemeStripe && slices.ContainsFunc(stripeAPIKeys, func(key string) bool { return strings.HasPrefix(secret, key) }):
		return fmt.Errorf("%w: is an API key; use the signing secret of the endpoint, which begins with %s", ErrInvalidSecret, prefixSecret)
	}
	return checkLength(len(secret))
}

// NewSecret returns a new random secret for a [Signer]: whsec_ and the standard
// base64 of 32 bytes.
func NewSecret() (string, error) {
	var raw [secretBytes]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("signature: new secret: %w", err)
	}
	return prefixSecret + base64.StdEncoding.EncodeToString(raw[:]), nil
}

// NewKeyPair returns a new Ed25519 key pair for Standard Webhooks: the signing
// key (whsk_ and the base64 of the 64-byte private key) for an [Ed25519Signer]
// and the public key (whpk_ and the base64 of 32 bytes) for a [Verifier].
func NewKeyPair() (signingKey, publicKey string, err error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", "", fmt.Errorf("signature: new key pair: %w", err)
	}
	return prefixSigningKey + base64.StdEncoding.EncodeToString(private),
		prefixPublicKey + base64.StdEncoding.EncodeToString(public), nil
}

// PublicKeyOf returns the public key, whpk_ and base64, that belongs to a whsk_ signing key. Its error wraps
// [ErrInvalidSecret].
func PublicKeyOf(signingKey string) (string, error) {
	private, err := decodeSigningKey(signingKey)
	if err != nil {
		return "", fmt.Errorf("signature: public key: %w", err)
	}
	public := private[ed25519.SeedSize:] // the second half of a private key
	return prefixPublicKey + base64.StdEncoding.EncodeToString(public), nil
}

// PublicKeyBytes returns the 32 bytes of a whpk_ public key, as a JSON Web Key has them. Its error wraps
// [ErrInvalidSecret].
func PublicKeyBytes(publicKey string) ([]byte, error) {
	public, err := decodePublicKey(publicKey)
	if err != nil {
		return nil, fmt.Errorf("signature: public key: %w", err)
	}
	return public, nil
}

// decodeSecret returns the HMAC key of a whsec_ secret.
func decodeSecret(secret string) ([]byte, error) {
	return decodeKey(secret, prefixSecret)
}

// decodeAnySecret returns the HMAC key of a secret of Standard Webhooks, whose own
// libraries take base64 without the prefix too. Padding may be left out.
func decodeAnySecret(secret string) ([]byte, error) {
	raw, err := decodePadded(strings.TrimPrefix(secret, prefixSecret), "base64, with or without "+prefixSecret+" before it")
	if err != nil {
		return nil, err
	}
	return raw, checkLength(len(raw))
}

// decodeSigningKey returns the private key of a whsk_ key. Its second half must
// be the public key of the first: signing with another one leaks the private key.
func decodeSigningKey(key string) (ed25519.PrivateKey, error) {
	raw, err := decodeKey(key, prefixSigningKey)
	if err != nil {
		return nil, err
	}
	if len(raw) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: want %d bytes after %s", ErrInvalidSecret, ed25519.PrivateKeySize, prefixSigningKey)
	}
	private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	if !private.Equal(ed25519.PrivateKey(raw)) {
		return nil, fmt.Errorf("%w: the halves of the %s key do not belong together", ErrInvalidSecret, prefixSigningKey)
	}
	return private, nil
}

// decodePublicKey returns the public key of a whpk_ key.
func decodePublicKey(key string) (ed25519.PublicKey, error) {
	encoded, found := strings.CutPrefix(key, prefixPublicKey)
	if !found {
		return nil, fmt.Errorf("%w: want %s followed by base64", ErrInvalidSecret, prefixPublicKey)
	}
	raw, err := decodePadded(encoded, prefixPublicKey+" followed by base64")
	if err != nil {
		return nil, err
	}
	if len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: want %d bytes after %s", ErrInvalidSecret, ed25519.PublicKeySize, prefixPublicKey)
	}
	return ed25519.PublicKey(raw), nil
}

// decodePadded decodes base64 whose padding may have been left out.
func decodePadded(encoded, want string) ([]byte, error) {
	encoding := base64.StdEncoding
	if !strings.HasSuffix(encoded, "=") {
		encoding = base64.RawStdEncoding
	}
	raw, err := encoding.DecodeString(encoded)
	if err != nil || len(raw) == 0 || strings.ContainsAny(encoded, "\r\n") {
		return nil, fmt.Errorf("%w: want %s", ErrInvalidSecret, want)
	}
	return raw, nil
}

// decodeKey decodes what follows the prefix. Line breaks, which the base64
// decoder skips, are refused: a secret read with its newline would otherwise
// work for one of our two headers and not for the other.
func decodeKey(key, prefix string) ([]byte, error) {
	encoded, found := strings.CutPrefix(key, prefix)
	if !found || strings.ContainsAny(encoded, "\r\n") {
		return nil, fmt.Errorf("%w: want %s followed by base64", ErrInvalidSecret, prefix)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) == 0 {
		return nil, fmt.Errorf("%w: want %s followed by base64", ErrInvalidSecret, prefix)
	}
	return raw, nil
}
