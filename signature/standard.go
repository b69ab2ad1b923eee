package signature

import (
	"fmt"
	"net/http"
	"strings"
)

// standardNames are the three headers of Standard Webhooks.
type standardNames struct{ id, timestamp, signature string }

// standardHeader is a parsed webhook-signature,
// "v1,<base64> v1a,<base64> v1,<base64>".
type standardHeader struct {
	v1, v1a    [][]byte
	unreadable bool // an entry was skipped that is no entry of another version
}

// parseStandard reads a header. Unknown versions and unreadable entries are
// skipped, as other libraries do.
func parseStandard(name, value string) (standardHeader, error) {
	var parsed standardHeader
	if strings.Count(value, " ") >= maxEntries {
		return standardHeader{}, malformed(name, "has too many entries")
	}
	for entry := range strings.SplitSeq(value, " ") {
		version, text, found := strings.Cut(entry, ",")
		if entry == "" || (found && version != "v1" && version != "v1a") {
			continue
		}
		raw, ok := EncodingBase64.decode(text)
		switch {
		case !ok:
			parsed.unreadable = true
		case version == "v1":
			parsed.v1 = append(parsed.v1, raw)
		default:
			parsed.v1a = append(parsed.v1a, raw)
		}
	}
	return parsed, nil
}

// verifyStandard reads the webhook- headers or, when they carry no signature,
// Svix's own names for the same three: most of its customers send only these.
// The two families are never mixed.
func (v *Verifier) verifyStandard(header http.Header, body []byte) error {
	names := standardNames{id: HeaderID, timestamp: HeaderTimestamp, signature: HeaderSignature}
	value, err := singleValue(header, names.signature)
	if err == nil && value == "" {
		names = standardNames{id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature"}
		value, err = singleValue(header, names.signature)
	}
	if err != nil {
		return err
	}
	if value == "" {
		return fmt.Errorf("%w: %s is missing", ErrNoSignature, HeaderSignature)
	}

	id, unix, err := v.standardMetadata(names, header)
	if err != nil {
		return err
	}
	parsed, err := parseStandard(names.signature, value)
	if err != nil {
		return err
	}
	// A signature of a version that we hold no key for is none.
	if len(v.hmacKeys) == 0 {
		parsed.v1 = nil
	}
	if len(v.publicKeys) == 0 {
		parsed.v1a = nil
	}
	if err := checkSignatures(names.signature, len(parsed.v1)+len(parsed.v1a)); err != nil {
		return err
	}
	switch {
	case len(parsed.v1a)*len(v.publicKeys) > maxEd25519Checks:
		return malformed(names.signature, fmt.Sprintf("has too many v1a signatures for %d public keys", len(v.publicKeys)))
	case len(parsed.v1)+len(parsed.v1a) > 0:
	case parsed.unreadable:
		return malformed(names.signature, "has no readable signature")
	default:
		return fmt.Errorf("%w: %s has no version that there is a key for", ErrNoSignature, names.signature)
	}

	if !v.matchesHMAC(parsed.v1, appendStandardPrefix(nil, id, unix), body) && !v.matchesEd25519(parsed.v1a, id, unix, body) {
		return ErrSignatureMismatch
	}
	return v.checkTimestamp(unix)
}

// standardMetadata returns the signed id and timestamp. An id with a full stop
// is refused: the boundary between id, timestamp and body could be moved under
// the same signature.
func (v *Verifier) standardMetadata(names standardNames, header http.Header) (id string, unix int64, err error) {
	id, err = requiredValue(header, names.id)
	if err != nil {
		return "", 0, err
	}
	if strings.Contains(id, ".") {
		return "", 0, malformed(names.id, "contains a full stop")
	}
	timestamp, err := requiredValue(header, names.timestamp)
	if err != nil {
		return "", 0, err
	}
	unix, ok := parseTimestamp(timestamp)
	if !ok {
		return "", 0, malformed(names.timestamp, "is unreadable")
	}
	return id, unix, nil
}

func (v *Verifier) matchesEd25519(candidates [][]byte, id string, unix int64, body []byte) bool {
	if len(candidates) == 0 {
		return false
	}
	return matchesPublicKey(v.publicKeys, candidates, standardMessage(id, unix, body))
}
