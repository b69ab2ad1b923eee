package signature

import (
	"fmt"
	"net/http"
	"strconv"
)

// Headers that Postrider sends. The last three are those of Standard Webhooks.
const (
	HeaderPostrider = "X-Webhook-Signature"
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Headers of the other schemes.
const (
	HeaderStripe         = "Stripe-Signature"
	HeaderGitHub         = "X-Hub-Signature-256"
	HeaderShopify        = "X-Shopify-Hmac-Sha256"
	HeaderShopifyEvents  = "Shopify-Hmac-Sha256"
	HeaderSlack          = "X-Slack-Signature"
	HeaderSlackTimestamp = "X-Slack-Request-Timestamp"
)

// What a request can ask for is bounded whatever it sends: the entries of a
// signature header, of whatever version, the signatures among them, and the
// Ed25519 checks, each of which reads the whole body. A rotation needs two or
// three of each, and Postrider sends six signatures at most.
const (
	maxEntries       = 32
	maxSignatures    = 10
	maxEd25519Checks = 12
)

// maxTimestampDigits keeps Unix seconds well inside int64 and time.Time.
const maxTimestampDigits = 15

// HeaderValues returns the values of a header, whatever the spelling of its name.
// The standard library canonicalizes names only on its own paths, so every key is
// compared, and one name in two spellings counts as repeated. What reads headers
// that a [Verifier] has verified should read them in this way too.
func HeaderValues(header http.Header, name string) []string {
	var found []string
	for key, values := range header {
		switch {
		case len(values) == 0 || !equalFoldASCII(key, name):
		case found == nil:
			found = values[:len(values):len(values)]
		default:
			found = append(found, values...)
		}
	}
	return found
}

// singleValue returns the value of a header, or "" when it is absent.
func singleValue(header http.Header, name string) (string, error) {
	switch values := HeaderValues(header, name); len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", malformed(name, "is repeated")
}

// requiredValue is singleValue for a header that goes with a signature.
func requiredValue(header http.Header, name string) (string, error) {
	value, err := singleValue(header, name)
	if err != nil {
		return "", err
	}
	if value == "" {
		return "", malformed(name, "is missing")
	}
	return value, nil
}

// equalFoldASCII reports equality of header names. strings.EqualFold would also
// take the Kelvin sign for a k.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// parseTimestamp reads Unix seconds in the one form that senders write: digits
// without sign, leading zero or fraction. The text is part of what is signed, so
// two spellings of one time must not both be readable.
func parseTimestamp(value string) (int64, bool) {
	if value == "" || len(value) > maxTimestampDigits || (value[0] == '0' && value != "0") {
		return 0, false
	}
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return 0, false
		}
	}
	unix, err := strconv.ParseInt(value, 10, 64)
	return unix, err == nil
}

// checkSignatures bounds the signatures of a header.
func checkSignatures(name string, count int) error {
	if count > maxSignatures {
		return malformed(name, fmt.Sprintf("has more than %d signatures", maxSignatures))
	}
	return nil
}

// malformed names the header and the fault, never the value.
func malformed(name, fault string) error {
	return fmt.Errorf("%w: %s %s", ErrMalformedHeader, name, fault)
}
