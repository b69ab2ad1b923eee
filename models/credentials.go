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
	Auth       *Auth              `json:"auth,omitempty"`
	TLS        *TLS               `json:"tls,omitempty"`
}

// Empty says that there are none.
func (c Credentials) Empty() bool { return len(c.Signatures) == 0 && c.Auth == nil && c.TLS == nil }

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

// Auth is how requests sign in to a receiver: one of the three.
type Auth struct {
	Basic  *BasicAuth  `json:"basic,omitempty"`
	Bearer *BearerAuth `json:"bearer,omitempty"`
	OAuth2 *OAuth2     `json:"oauth2,omitempty"`
}

// BasicAuth is a user name and password (RFC 7617).
type BasicAuth struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// BearerAuth is a token that is sent as it is (RFC 6750).
type BearerAuth struct {
	Token string `json:"token"`
}

// OAuth2 gets tokens by the grant for client credentials (RFC 6749, section 4.4).
type OAuth2 struct {
	TokenURL     string   `json:"token_url"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	Scopes       []string `json:"scopes,omitempty"`
	Audience     string   `json:"audience,omitempty"`
	// AuthMethod is how the client signs in at the token endpoint; ClientSecretBasic when empty.
	AuthMethod string `json:"auth_method,omitempty"`
}

// The methods to sign in at a token endpoint.
const (
	ClientSecretBasic = "client_secret_basic"
	ClientSecretPost  = "client_secret_post"
)

// TLS is what requests show and trust in TLS, as PEM texts: a certificate with its key, and the authorities that the
// receiver's certificate may come from, in place of the system's.
type TLS struct {
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
	CA          string `json:"ca,omitempty"`
}
