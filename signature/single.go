package signature

import (
	"fmt"
	"net/http"
	"strings"
)

// parse reads a header: a prefix and a signature or, where the layout is a list,
// several of these, as senders write them while they change their secret. Entries
// of a list that begin otherwise or are unreadable are skipped when a readable one
// stands beside them.
func (l layout) parse(value string) ([][]byte, error) {
	entries := []string{value}
	if l.list {
		entries = l.split(value)
	}
	if len(entries) > maxEntries {
		return nil, malformed(l.header, "has too many entries")
	}
	var candidates [][]byte
	fault := malformed(l.header, "is no list of signatures")
	for i, entry := range entries {
		candidate, err := l.parseSingle(entry)
		switch {
		case err == nil:
			candidates = append(candidates, candidate)
		case i == 0:
			fault = err
		}
	}
	if len(candidates) == 0 {
		return nil, fault
	}
	return candidates, checkSignatures(l.header, len(candidates))
}

// split cuts a list at commas and blanks, except at those that the prefix has.
func (l layout) split(value string) []string {
	entries := strings.FieldsFunc(value, func(r rune) bool {
		return strings.ContainsRune(", \t", r) && !strings.ContainsRune(l.prefix, r)
	})
	for i, entry := range entries {
		entries[i] = strings.Trim(entry, " \t")
	}
	return entries
}

// parseSingle reads a prefix and one signature.
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

// candidates returns the signatures of a request. Of Shopify's two headers, which
// it sends side by side, either may be the right one.
func (l layout) candidates(header http.Header) ([][]byte, error) {
	value, err := singleValue(header, l.header)
	if err != nil {
		return nil, err
	}
	other := ""
	if l.otherHeader != "" {
		if other, err = singleValue(header, l.otherHeader); err != nil {
			return nil, err
		}
	}
	switch {
	case value == "" && other == "":
		return nil, fmt.Errorf("%w: %s is missing", ErrNoSignature, l.header)
	case value == "":
		return l.parse(other)
	case other == "" || other == value:
		return l.parse(value)
	}
	candidates, err := l.parse(value)
	if more, otherErr := l.parse(other); otherErr == nil {
		return append(candidates, more...), nil
	}
	return candidates, err
}

// slackPrefix is what Slack signs before the body.
func slackPrefix(timestamp string) []byte {
	return []byte("v0:" + timestamp + ":")
}

// verifySingle checks GitHub, Shopify, Slack and the hmac scheme.
func (v *Verifier) verifySingle(header http.Header, body []byte) error {
	l := v.layout
	candidates, err := l.candidates(header)
	if err != nil {
		return err
	}
	if l.timestampHeader == "" {
		if !v.matchesHMAC(candidates, nil, body) {
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
	if !v.matchesHMAC(candidates, slackPrefix(timestamp), body) {
		return ErrSignatureMismatch
	}
	return v.checkTimestamp(unix)
}
