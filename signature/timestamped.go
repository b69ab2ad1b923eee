package signature

import (
	"fmt"
	"net/http"
	"strings"
)

// timestampedHeader is the parsed header of Postrider and Stripe,
// "t=<unix>,v1=<hex>,v1=<hex>", in any order.
type timestampedHeader struct {
	timestamp string // as sent: the bytes that were signed
	unix      int64
	v1        [][]byte
}

// parseTimestamped reads a header. Entries of other versions are skipped, and so
// are v1 entries that are no hex when a readable one stands beside them.
func parseTimestamped(name, value string) (timestampedHeader, error) {
	var parsed timestampedHeader
	if strings.Count(value, ",") >= maxEntries {
		return timestampedHeader{}, malformed(name, "has too many entries")
	}
	unreadable := false
	for entry := range strings.SplitSeq(value, ",") {
		key, text, found := strings.Cut(entry, "=")
		if !found {
			return timestampedHeader{}, malformed(name, "has an entry without =")
		}
		switch key {
		case "t":
			unix, ok := parseTimestamp(text)
			if !ok {
				return timestampedHeader{}, malformed(name, "has an unreadable timestamp")
			}
			if parsed.timestamp != "" {
				return timestampedHeader{}, malformed(name, "has two timestamps")
			}
			parsed.timestamp, parsed.unix = text, unix
		case "v1":
			if raw, ok := EncodingHex.decode(text); ok {
				parsed.v1 = append(parsed.v1, raw)
			} else {
				unreadable = true
			}
		}
	}
	switch {
	case parsed.timestamp == "":
		return timestampedHeader{}, malformed(name, "has no timestamp")
	case len(parsed.v1) == 0 && unreadable:
		return timestampedHeader{}, malformed(name, "has no readable v1 signature")
	case len(parsed.v1) == 0:
		return timestampedHeader{}, fmt.Errorf("%w: %s has no v1", ErrNoSignature, name)
	}
	if err := checkSignatures(name, len(parsed.v1)); err != nil {
		return timestampedHeader{}, err
	}
	return parsed, nil
}

func (v *Verifier) verifyTimestamped(name string, header http.Header, body []byte) error {
	value, err := singleValue(header, name)
	if err != nil {
		return err
	}
	if value == "" {
		return fmt.Errorf("%w: %s is missing", ErrNoSignature, name)
	}
	parsed, err := parseTimestamped(name, value)
	if err != nil {
		return err
	}
	if !v.matchesHMAC(parsed.v1, []byte(parsed.timestamp+"."), body) {
		return ErrSignatureMismatch
	}
	return v.checkTimestamp(parsed.unix)
}
