package signature

import (
	"fmt"
	"net/http"
	"strings"
)

// parseSingle reads a header that is a prefix and one signature.
func (l layout) parseSingle(value string) ([]byte, error) {
	text, found := strings.CutPrefix(value, l.prefix)
	if !found {
		return nil, malformed(l.header, "does not begin with "+l.prefix)
	}
	raw, ok := l.encoding.decode(text)
	if !ok {
		return nil, malformed(l.header, "is no "+string(l.encoding))
	}
	return raw, nil
}

// slackPrefix is what Slack signs before the body.
func slackPrefix(timestamp string) []byte {
	return []byte("v0:" + timestamp + ":")
}

// verifySingle checks GitHub, Shopify, Slack and the hmac scheme.
func (v *Verifier) verifySingle(header http.Header, body []byte) error {
	l := v.layout
	value, err := singleValue(header, l.header)
	if err != nil {
		return err
	}
	if value == "" {
		return fmt.Errorf("%w: %s is missing", ErrNoSignature, l.header)
	}
	candidate, err := l.parseSingle(value)
	if err != nil {
		return err
	}
	if l.timestampHeader == "" {
		if !v.matchesHMAC([][]byte{candidate}, nil, body) {
			return ErrSignatureMismatch
		}
		return nil
	}

	timestamp, err := requiredValue(header, l.timestampHeader)
	if err != nil {
		return err
	}
	unix, ok := parseTimestamp(timestamp)
	if !ok {
		return malformed(l.timestampHeader, "is unreadable")
	}
	if !v.matchesHMAC([][]byte{candidate}, slackPrefix(timestamp), body) {
		return ErrSignatureMismatch
	}
	return v.checkTimestamp(unix)
}
