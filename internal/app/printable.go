package app

import (
	"strconv"
	"strings"
	"unicode"
)

// printable escapes what a terminal would obey instead of showing: control characters, marks that turn the direction of
// text, and bytes that are no text. Who sends them could forge lines, or more.
func printable(text string) string {
	var shown strings.Builder
	for at, r := range text {
		switch {
		case r == unicode.ReplacementChar && !strings.HasPrefix(text[at:], "\uFFFD"):
			shown.WriteString(`\x` + strconv.FormatUint(uint64(text[at])|0x100, 16)[1:])
		case unicode.IsPrint(r):
			shown.WriteRune(r)
		default:
			shown.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return shown.String()
}

// printableLines is printable for a text of several lines, each of which begins as it is told.
func printableLines(text, begin string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = begin + printable(line)
	}
	return strings.Join(lines, "\n")
}
