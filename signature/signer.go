package signature

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// maxUnixText is the length of the longest int64 in decimal.
	maxUnixText = 20
	hexSum      = 2 * sha256.Size
	base64Sum   = (sha256.Size + 2) / 3 * 4
)

// Signer signs what Postrider sends. It is safe for concurrent use; its keys are
// decoded once. The zero value signs nothing: use [NewSigner].
type Signer struct {
	shown   []*hmacKey // keyed with the secrets as shown, for Postrider
	decoded []*hmacKey // keyed with the bytes behind them, for Standard
}

// NewSigner returns a Signer for the current secret, followed by previous ones
// that receivers may still use: each header carries one signature per secret, in
// this order. A secret is whsec_ followed by base64, or 16 to 128 visible ASCII
// characters, whose own bytes then key both headers. It returns [ErrInvalidSecret]
// when there is none, when there are more than six, or when one is neither.
func NewSigner(secrets ...string) (*Signer, error) {
	if err := checkSecretCount(secrets, maxSigning); err != nil {
		return nil, fmt.Errorf("signature: new signer: %w", err)
	}
	s := &Signer{
		shown:   make([]*hmacKey, 0, len(secrets)),
		decoded: make([]*hmacKey, 0, len(secrets)),
	}
	for i, secret := range secrets {
		raw, err := signingBytes(secret)
		if err != nil {
			return nil, fmt.Errorf("signature: new signer: secret %d of %d: %w", i+1, len(secrets), err)
		}
		s.shown = append(s.shown, newHMACKey(sha256.New, []byte(secret)))
		s.decoded = append(s.decoded, newHMACKey(sha256.New, raw))
	}
	return s, nil
}

// Bounds of a secret of another form than whsec_, in visible ASCII characters.
const minTextSecret, maxTextSecret = 16, 128

// signingBytes is what keys the header of Standard Webhooks: what a whsec_ secret
// stands for, or another one's own bytes. What begins like a key of Standard
// Webhooks must be one that signs with HMAC.
func signingBytes(secret string) ([]byte, error) {
	lower := strings.ToLower(secret)
	for _, prefix := range []string{prefixSecret, prefixSigningKey, prefixPublicKey} {
		if strings.HasPrefix(lower, prefix) {
			return decodeSecret(secret)
		}
	}
	hidden := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(secret) < minTextSecret || len(secret) > maxTextSecret || strings.ContainsFunc(secret, hidden) {
		return nil, fmt.Errorf("%w: want %s followed by base64, or %d to %d visible ASCII characters",
			ErrInvalidSecret, prefixSecret, minTextSecret, maxTextSecret)
	}
	return []byte(secret), nil
}

// Postrider returns the value of [HeaderPostrider]: the timestamp in Unix
// seconds and, for each secret, the hex HMAC-SHA256 of "<timestamp>.<body>".
func (s *Signer) Postrider(timestamp time.Time, body []byte) string {
	return timestamped(s.shown, timestamp, body)
}

// Standard returns the value of [HeaderSignature]: for each secret, the base64
// HMAC-SHA256 of "<id>.<timestamp>.<body>". The request must carry the same id
// in [HeaderID] and the timestamp's Unix seconds in [HeaderTimestamp]. An id
// must not contain a full stop, which would make the signed text ambiguous;
// verifiers of this package refuse it.
func (s *Signer) Standard(id string, timestamp time.Time, body []byte) string {
	var prefixBuf [96]byte
	prefix := appendStandardPrefix(prefixBuf[:0], id, timestamp.Unix())

	var sum [sha256.Size]byte
	var text [base64Sum]byte
	var header strings.Builder
	header.Grow(len(s.decoded) * (len(" v1,") + base64Sum))
	for i, key := range s.decoded {
		if i > 0 {
			header.WriteByte(' ')
		}
		header.WriteString("v1,")
		base64.StdEncoding.Encode(text[:], key.appendSum(sum[:0], prefix, body))
		header.Write(text[:])
	}
	return header.String()
}

// timestamped writes the header that Postrider and Stripe share.
func timestamped(keys []*hmacKey, timestamp time.Time, body []byte) string {
	var prefixBuf [maxUnixText + 1]byte
	unix := strconv.AppendInt(prefixBuf[:0], timestamp.Unix(), 10)
	prefix := append(unix, '.')

	var sum [sha256.Size]byte
	var text [hexSum]byte
	var header strings.Builder
	header.Grow(len("t=") + len(unix) + len(keys)*(len(",v1=")+hexSum))
	header.WriteString("t=")
	header.Write(unix)
	for _, key := range keys {
		header.WriteString(",v1=")
		hex.Encode(text[:], key.appendSum(sum[:0], prefix, body))
		header.Write(text[:])
	}
	return header.String()
}

// appendStandardPrefix appends what Standard Webhooks signs before the body.
func appendStandardPrefix(dst []byte, id string, unix int64) []byte {
	dst = append(dst, id...)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, unix, 10)
	return append(dst, '.')
}
