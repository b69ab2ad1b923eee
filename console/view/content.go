package view

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// mostInPage is how much of a large body a page has in it; the rest is asked for.
	mostInPage = 32 << 10
	// deepIndent is how deep JSON is indented: each level deeper makes every line of it longer.
	deepIndent = 20
)

// text is a body as far as it is one: what is not UTF-8, and what a terminal would obey, is shown as the sign for that.
func text(body []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' && r != '\n' && r != '\t' && r != '\r':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		}
		return r
	}, strings.ToValidUTF8(string(body), "\uFFFD"))
}

func isText(body []byte) bool { return utf8.Valid(body) }

// beginning is what a page has of a body, and whether more is to be asked for.
func beginning(body []byte, more bool) (shown []byte, cut bool) {
	if !more || len(body) <= mostInPage {
		return body, false
	}
	end := mostInPage
	for end > mostInPage-utf8.UTFMax && !utf8.RuneStart(body[end]) {
		end--
	}
	return body[:end], true
}

// fingerprint tells contents apart: a script leaves alone what has not changed.
func fingerprint(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// pretty is JSON for reading and changing it, or as it is where it is no JSON, or too deep for that.
func pretty(data []byte) string {
	var text bytes.Buffer
	if depth(data) > deepIndent || json.Indent(&text, data, "", "  ") != nil {
		return string(data)
	}
	return text.String()
}

// depth is how deep JSON is at most; brackets in texts count too.
func depth(data []byte) (deepest int) {
	now := 0
	for _, c := range data {
		switch c {
		case '{', '[':
			now++
			deepest = max(deepest, now)
		case '}', ']':
			now--
		}
	}
	return deepest
}

// size is a number of bytes as people read it.
func size[T int | int64](bytes T) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
