package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Verifier checks requests of one sender. It is safe for concurrent use. The
// zero value refuses everything: use [NewVerifier].
type Verifier struct {
	scheme     Scheme
	layout     layout
	tolerance  time.Duration
	now        func() time.Time
	hmacKeys   []*hmacKey
	publicKeys []ed25519.PublicKey
}

// NewVerifier returns a Verifier. Its error wraps [ErrInvalidConfig] or
// [ErrInvalidSecret], or both, and names every fault; it holds no secret.
func NewVerifier(cfg Config) (*Verifier, error) {
	l, err := layoutOf(cfg)
	v := &Verifier{scheme: cfg.Scheme, layout: l, tolerance: cfg.Tolerance, now: cfg.Now}
	if v.tolerance == 0 {
		v.tolerance = DefaultTolerance
	}
	if v.now == nil {
		v.now = time.Now
	}

	faults := []error{err, checkSecretCount(cfg.Secrets, MaxSecrets)}
	for i, secret := range cfg.Secrets[:min(len(cfg.Secrets), MaxSecrets)] {
		if err := v.addSecret(secret); err != nil {
			faults = append(faults, fmt.Errorf("secret %d of %d: %w", i+1, len(cfg.Secrets), err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("signature: new verifier: %w", err)
	}
	return v, nil
}

// addSecret keeps HMAC secrets and public keys apart by their prefix: a public
// key is known to all and must never become an HMAC key.
func (v *Verifier) addSecret(secret string) error {
	switch {
	case v.scheme == SchemeStandardWebhooks && strings.HasPrefix(secret, prefixPublicKey):
		key, err := decodePublicKey(secret)
		if err != nil {
			return err
		}
		v.publicKeys = append(v.publicKeys, key)
	case v.scheme == SchemeStandardWebhooks && strings.HasPrefix(secret, prefixSigningKey):
		return fmt.Errorf("%w: %s is the sender's own key, verify with the %s one", ErrInvalidSecret, prefixSigningKey, prefixPublicKey)
	case v.scheme == SchemeStandardWebhooks:
		raw, err := decodeAnySecret(secret)
		if err != nil {
			return err
		}
		v.hmacKeys = append(v.hmacKeys, newHMACKey(sha256.New, raw))
	default:
		if err := checkTextSecret(v.scheme, secret); err != nil {
			return err
		}
		v.hmacKeys = append(v.hmacKeys, newHMACKey(v.layout.hash.constructor(), []byte(secret)))
	}
	return nil
}

// Verify reports whether the request with these headers and this body, as it
// was received, byte for byte, was signed with one of the secrets. Its error
// wraps [ErrNoSignature], [ErrMalformedHeader], [ErrSignatureMismatch] or
// [ErrTimestampOutsideTolerance].
func (v *Verifier) Verify(header http.Header, body []byte) error {
	var err error
	switch v.scheme {
	case SchemePostrider:
		err = v.verifyTimestamped(HeaderPostrider, header, body)
	case SchemeStripe:
		err = v.verifyTimestamped(HeaderStripe, header, body)
	case SchemeStandardWebhooks:
		err = v.verifyStandard(header, body)
	case SchemeGitHub, SchemeShopify, SchemeSlack, SchemeHMAC:
		err = v.verifySingle(header, body)
	default:
		err = fmt.Errorf("%w: verifier was not made with NewVerifier", ErrInvalidConfig)
	}
	if err != nil {
		return fmt.Errorf("signature: verify %s: %w", v.scheme, err)
	}
	return nil
}

// matchesHMAC reports whether one of the candidates is HMAC(prefix + body) under
// one of the secrets.
func (v *Verifier) matchesHMAC(candidates [][]byte, prefix, body []byte) bool {
	if len(candidates) == 0 {
		return false
	}
	for _, key := range v.hmacKeys {
		if key.matches(candidates, prefix, body) {
			return true
		}
	}
	return false
}

// checkTimestamp compares with the clock. Both bounds are inclusive.
func (v *Verifier) checkTimestamp(unix int64) error {
	age := v.now().Sub(time.Unix(unix, 0))
	if age > v.tolerance || age < -v.tolerance {
		return fmt.Errorf("%w: %s old, tolerance %s", ErrTimestampOutsideTolerance, age.Round(time.Second), v.tolerance)
	}
	return nil
}
