package signature

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// DefaultTolerance is how far a timestamp may be off unless configured
// otherwise: the value of Standard Webhooks, Stripe and Slack.
const DefaultTolerance = 5 * time.Minute

// Scheme names a way of signing webhooks. The package comment describes each.
type Scheme string

// The schemes.
const (
	SchemePostrider        Scheme = "postrider"
	SchemeStandardWebhooks Scheme = "standard-webhooks"
	SchemeStripe           Scheme = "stripe"
	SchemeGitHub           Scheme = "github"
	SchemeShopify          Scheme = "shopify"
	SchemeSlack            Scheme = "slack"
	SchemeHMAC             Scheme = "hmac"
)

// Config says how requests of one sender are signed.
type Config struct {
	Scheme Scheme
	// Secrets are the keys, any of which may match; at least one and at most
	// [MaxSecrets], each of at least [MinSecretBytes]. Their form is
	// whsec_<base64> for [SchemePostrider]; base64 with or without whsec_, or the
	// Ed25519 public key whpk_<base64>, for [SchemeStandardWebhooks], both also
	// without padding; and any text for the others.
	Secrets []string
	// Tolerance is how far the signed timestamp may lie in the past or in the
	// future; zero means [DefaultTolerance]. Schemes that sign no timestamp
	// ignore it.
	Tolerance time.Duration
	// HMAC is needed for [SchemeHMAC] and refused for the others.
	HMAC *HMACConfig
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// HMACConfig describes the header of [SchemeHMAC], for senders that sign the
// bare body.
type HMACConfig struct {
	// Header is the name of the signature header, in any case.
	Header string
	// Prefix is the text before each signature, such as "sha256="; it may be
	// empty and must match exactly. A header may hold several signatures, with
	// commas or blanks between them, such as "v1=…,v1=…".
	Prefix string
	// Encoding is hex when empty.
	Encoding Encoding
	// Hash is SHA-256 when empty.
	Hash Hash
}

// layout is how a scheme with one signature in one header writes it.
type layout struct {
	header   string
	prefix   string
	encoding Encoding
	hash     Hash
	// otherHeader is where the same signature can be too.
	otherHeader string
	// list is set when a header may hold several signatures.
	list bool
	// timestampHeader is set when "v0:<timestamp>:" is signed before the body.
	timestampHeader string
}

// layoutOf returns the layout of the scheme, or a zero one when the scheme has a
// parser of its own. All faults of the configuration other than of its secrets
// are joined in the error.
func layoutOf(cfg Config) (layout, error) {
	var faults []error
	if cfg.Tolerance < 0 {
		faults = append(faults, fmt.Errorf("%w: tolerance is negative", ErrInvalidConfig))
	}
	if cfg.HMAC != nil && cfg.Scheme != SchemeHMAC {
		faults = append(faults, fmt.Errorf("%w: HMAC is for scheme %s only", ErrInvalidConfig, SchemeHMAC))
	}

	var l layout
	switch cfg.Scheme {
	case SchemePostrider, SchemeStandardWebhooks, SchemeStripe:
	case SchemeGitHub:
		l = layout{header: HeaderGitHub, prefix: "sha256=", encoding: EncodingHex, hash: HashSHA256}
	case SchemeShopify:
		l = layout{header: HeaderShopify, otherHeader: HeaderShopifyEvents, encoding: EncodingBase64, hash: HashSHA256}
	case SchemeSlack:
		l = layout{
			header: HeaderSlack, prefix: "v0=", encoding: EncodingHex, hash: HashSHA256,
			timestampHeader: HeaderSlackTimestamp,
		}
	case SchemeHMAC:
		var err error
		if l, err = cfg.HMAC.layout(); err != nil {
			faults = append(faults, err)
		}
	default:
		faults = append(faults, fmt.Errorf("%w: unknown scheme %q", ErrInvalidConfig, string(cfg.Scheme)))
	}
	return l, errors.Join(faults...)
}

func (c *HMACConfig) layout() (layout, error) {
	if c == nil {
		return layout{}, fmt.Errorf("%w: scheme %s needs HMAC", ErrInvalidConfig, SchemeHMAC)
	}
	l := layout{header: c.Header, prefix: c.Prefix, encoding: c.Encoding, hash: c.Hash, list: true}
	if l.encoding == "" {
		l.encoding = EncodingHex
	}
	if l.hash == "" {
		l.hash = HashSHA256
	}

	var faults []error
	if !isToken(l.header) {
		faults = append(faults, fmt.Errorf("%w: HMAC.Header is no header name", ErrInvalidConfig))
	}
	if !isHeaderText(l.prefix) {
		faults = append(faults, fmt.Errorf("%w: HMAC.Prefix cannot begin a header value", ErrInvalidConfig))
	}
	if l.encoding != EncodingHex && l.encoding != EncodingBase64 {
		faults = append(faults, fmt.Errorf("%w: unknown HMAC.Encoding %q", ErrInvalidConfig, string(l.encoding)))
	}
	if l.hash != HashSHA256 && l.hash != HashSHA512 {
		faults = append(faults, fmt.Errorf("%w: unknown HMAC.Hash %q", ErrInvalidConfig, string(l.hash)))
	}
	return l, errors.Join(faults...)
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := lowerASCII(s[i])
		if ('a' > c || c > 'z') && ('0' > c || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// isHeaderText reports whether s can begin a header value: printable ASCII, and
// no leading blank, which HTTP would strip.
func isHeaderText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.HasPrefix(s, " ")
}
