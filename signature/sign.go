package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Sign returns the headers with which a sender of the scheme would sign the
// body, for tests and for forwarding to an application that expects another
// scheme; senders of Postrider's own webhooks use a [Signer]. Where a header can
// hold several signatures there is one for each secret, otherwise the first
// secret signs. [SchemeStandardWebhooks] takes whsec_ secrets and whsk_ signing
// keys, and is the only scheme to use the id; the timestamp is left out by those
// that sign none. The error wraps [ErrInvalidConfig], [ErrInvalidSecret] or, for
// an id or a timestamp that no verifier would accept, [ErrMalformedHeader].
func Sign(cfg Config, id string, timestamp time.Time, body []byte) (http.Header, error) {
	header, err := sign(cfg, id, timestamp, body)
	if err != nil {
		return nil, fmt.Errorf("signature: sign %s: %w", cfg.Scheme, err)
	}
	return header, nil
}

func sign(cfg Config, id string, timestamp time.Time, body []byte) (http.Header, error) {
	l, err := layoutOf(cfg)
	if err != nil {
		return nil, err
	}
	if err := checkSecretCount(cfg.Secrets, maxSigning); err != nil {
		return nil, err
	}
	unix := strconv.FormatInt(timestamp.Unix(), 10)
	signsTimestamp := l.header == "" || l.timestampHeader != ""
	if _, ok := parseTimestamp(unix); signsTimestamp && !ok {
		return nil, fmt.Errorf("%w: timestamp out of range", ErrMalformedHeader)
	}
	if cfg.Scheme == SchemeStandardWebhooks {
		return signStandard(cfg.Secrets, id, timestamp, body)
	}

	keys := make([]*hmacKey, 0, len(cfg.Secrets))
	for i, secret := range cfg.Secrets {
		if err := checkTextSecret(cfg.Scheme, secret); err != nil {
			return nil, fmt.Errorf("secret %d of %d: %w", i+1, len(cfg.Secrets), err)
		}
		keys = append(keys, newHMACKey(l.hash.constructor(), []byte(secret)))
	}
	header := http.Header{}
	switch cfg.Scheme {
	case SchemePostrider:
		header.Set(HeaderPostrider, timestamped(keys, timestamp, body))
	case SchemeStripe:
		header.Set(HeaderStripe, timestamped(keys, timestamp, body))
	default:
		var prefix []byte
		if l.timestampHeader != "" {
			prefix = slackPrefix(unix)
			header.Set(l.timestampHeader, unix)
		}
		header.Set(l.header, l.prefix+l.encoding.encode(keys[0].appendSum(nil, prefix, body)))
	}
	return header, nil
}

func signStandard(secrets []string, id string, timestamp time.Time, body []byte) (http.Header, error) {
	if id == "" || strings.Contains(id, ".") {
		return nil, malformed(HeaderID, "must not be empty or contain a full stop")
	}
	entries := make([]string, 0, len(secrets))
	for i, secret := range secrets {
		entry, err := standardEntry(secret, id, timestamp, body)
		if err != nil {
			return nil, fmt.Errorf("secret %d of %d: %w", i+1, len(secrets), err)
		}
		entries = append(entries, entry)
	}
	header := http.Header{}
	header.Set(HeaderID, id)
	header.Set(HeaderTimestamp, strconv.FormatInt(timestamp.Unix(), 10))
	header.Set(HeaderSignature, strings.Join(entries, " "))
	return header, nil
}

func standardEntry(secret, id string, timestamp time.Time, body []byte) (string, error) {
	if strings.HasPrefix(secret, prefixSigningKey) {
		key, err := decodeSigningKey(secret)
		if err != nil {
			return "", err
		}
		return "v1a," + EncodingBase64.encode(ed25519.Sign(key, standardMessage(id, timestamp.Unix(), body))), nil
	}
	raw, err := decodeAnySecret(secret)
	if err != nil {
		return "", err
	}
	sum := newHMACKey(sha256.New, raw).appendSum(nil, appendStandardPrefix(nil, id, timestamp.Unix()), body)
	return "v1," + EncodingBase64.encode(sum), nil
}
