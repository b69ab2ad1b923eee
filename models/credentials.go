package models

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Credentials are what the requests of a webhook prove their sender with, beside its secret. All of it is sealed at rest,
// as one JSON object.
type Credentials struct {
	Signatures []FurtherSignature `json:"signatures,omitempty"`
}

// Empty says that there are none.
func (c Credentials) Empty() bool { return len(c.Signatures) == 0 }

// Format keeps credentials out of whatever is printed.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprint(f, "models.Credentials{•••}") // fmt's own writer has no errors
}

// FurtherSignature is a header with a signature in the form that a receiver verified before it got webhooks from here.
type FurtherSignature struct {
	Header string `json:"header"`
	// Hash and Encoding are sha256 and hex when empty.
	Hash     string `json:"hash,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	// Prefix stands before the signature; it may hold {timestamp} and {id}.
	Prefix string `json:"prefix,omitempty"`
	// Signed is what is signed, with {body} in it, and perhaps {timestamp} and {id}; {body} when empty.
	Signed string `json:"signed,omitempty"`
	// TimestampHeader and IDHeader are sent beside it where the receiver wants them in headers of their own.
	TimestampHeader string `json:"timestamp_header,omitempty"`
	IDHeader        string `json:"id_header,omitempty"`
	// Secret keys the HMAC, with its characters, or with what they stand for under SecretEncoding.
	Secret         string `json:"secret"`
	SecretEncoding string `json:"secret_encoding,omitempty"`
}

// The tokens of Prefix and Signed.
const (
	TokenBody      = "{body}"
	TokenTimestamp = "{timestamp}"
	TokenID        = "{id}"
)

// Hash functions and encodings of a FurtherSignature.
const (
	HashSHA1   = "sha1"
	HashSHA256 = "sha256"
	HashSHA512 = "sha512"

	EncodingHex    = "hex"
	EncodingBase64 = "base64"
	EncodingText   = "text" // of secrets only
)

// Key is the key of the HMAC. Base64 may stand behind whsec_, as in Standard Webhooks; false when it is none.
func (s FurtherSignature) Key() ([]byte, bool) {
	if s.SecretEncoding != EncodingBase64 {
		return []byte(s.Secret), true
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Secret, "whsec_"))
	return key, err == nil && len(key) > 0
}

// Headers are all that the signature sets.
func (s FurtherSignature) Headers() []string {
	names := []string{s.Header}
	for _, name := range []string{s.TimestampHeader, s.IDHeader} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// SetCredentials gives a webhook other credentials; the store seals them when it writes the webhook.
func (s *Sending) SetCredentials(credentials Credentials) {
	s.Credentials, s.SealedCredentials = &credentials, nil
}
