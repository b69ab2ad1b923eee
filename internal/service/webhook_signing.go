package service

import (
	"strings"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// signing checks a kind of secret, and returns it as it is stored.
func (f *faults) signing(name string) models.Signing {
	switch signing := models.Signing(name); signing {
	case models.SigningEd25519:
		return signing
	case "", models.SigningHMAC:
	default:
		f.add("signing", "expected hmac or ed25519")
	}
	return ""
}

// secretOf checks a secret of a kind that is given; nil when none is.
func (f *faults) secretOf(signing models.Signing, secret *string) {
	const location = "secret"
	if secret == nil {
		return
	}
	private := strings.HasPrefix(*secret, signature.PrefixSigningKey)
	switch {
	case signing == models.SigningEd25519 && !private:
		f.add(location, "expected a private key of Ed25519, whsk_ and base64, as signing is ed25519")
	case signing == models.SigningEd25519:
		if _, err := signature.PublicKeyOf(*secret); err != nil {
			f.add(location, "expected whsk_ and the base64 of 64 bytes: a private key of Ed25519 with its public key")
		}
	case private:
		f.add(location, "this is a private key of Ed25519: set signing to ed25519, or give a secret for HMAC")
	default:
		f.secret(secret)
	}
}

// signingKey is a new secret of a kind, or the one that is given, with its public key if it has one.
func signingKey(signing models.Signing, given *string) (secret, publicKey string, err error) {
	switch {
	case signing == models.SigningEd25519 && given != nil:
		publicKey, err = signature.PublicKeyOf(*given)
		return *given, publicKey, err
	case signing == models.SigningEd25519:
		return signature.NewKeyPair()
	}
	secret, err = givenOrNew(given)
	return secret, "", err
}
