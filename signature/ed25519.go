package signature

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Ed25519Signer signs with the asymmetric scheme of Standard Webhooks, v1a: the
// receiver holds the public key only. It is safe for concurrent use. The zero
// value signs nothing: use [NewEd25519Signer].
type Ed25519Signer struct {
	keys []ed25519.PrivateKey
}

// NewEd25519Signer returns a signer for the current whsk_ key, followed by
// previous ones that receivers may still trust. It returns [ErrInvalidSecret]
// when there is none, when there are more than six, or when one is unusable.
func NewEd25519Signer(signingKeys ...string) (*Ed25519Signer, error) {
	if err := checkSecretCount(signingKeys, maxSigning); err != nil {
		return nil, fmt.Errorf("signature: new Ed25519 signer: %w", err)
	}
	keys := make([]ed25519.PrivateKey, 0, len(signingKeys))
	for i, signingKey := range signingKeys {
		key, err := decodeSigningKey(signingKey)
		if err != nil {
			return nil, fmt.Errorf("signature: new Ed25519 signer: key %d of %d: %w", i+1, len(signingKeys), err)
		}
		keys = append(keys, key)
	}
	return &Ed25519Signer{keys: keys}, nil
}

// Standard returns the value of [HeaderSignature]: for each key, the base64
// Ed25519 signature of "<id>.<timestamp>.<body>". What [Signer.Standard] says of
// the id and of the other headers holds here too.
func (s *Ed25519Signer) Standard(id string, timestamp time.Time, body []byte) string {
	message := standardMessage(id, timestamp.Unix(), body)
	entries := make([]string, 0, len(s.keys))
	for _, key := range s.keys {
		entries = append(entries, "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(key, message)))
	}
	return strings.Join(entries, " ")
}

// standardMessage joins what is signed: unlike HMAC, Ed25519 reads it twice and
// needs it in one piece.
func standardMessage(id string, unix int64, body []byte) []byte {
	message := make([]byte, 0, len(id)+maxUnixText+2+len(body))
	return append(appendStandardPrefix(message, id, unix), body...)
}

// matchesPublicKey reports whether one of the candidates is a signature of the
// message under one of the keys.
func matchesPublicKey(keys []ed25519.PublicKey, candidates [][]byte, message []byte) bool {
	return slices.ContainsFunc(keys, func(key ed25519.PublicKey) bool {
		return slices.ContainsFunc(candidates, func(candidate []byte) bool {
			return ed25519.Verify(key, message, candidate)
		})
	})
}
