package service

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Masked is shown instead of a value that is set and kept secret.
const Masked = "•••"

// tidy is how a name or a description is stored: without blanks at its ends, which nobody sees, and with each character
// in one form (NFC). Both would tell equal names apart.
func tidy(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }

// storable says that a database can hold a text: PostgreSQL refuses NUL and what is not UTF-8.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// Joiners shape what is written with other letters than ASCII, and emoji; between ASCII they only hide.
const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// unseenFault returns a sentence about the first character of a text that nobody sees, such as one without width or one
// that turns the direction; empty when there is none. lines allows several lines.
func unseenFault(text string, lines bool) string {
	before := rune(0)
	for at, r := range text {
		switch {
		case lines && (r == '\n' || r == '\r' || r == '\t'):
		case (r == joiner || r == nonJoiner) && before > unicode.MaxASCII && at+utf8.RuneLen(r) < len(text):
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point):
			return fmt.Sprintf("has the character U+%04X, which nobody sees: leave it out", r)
		}
		before = r
	}
	return ""
}

// endFault names the invisible character at the beginning or the end of a text, which was copied along with it.
func endFault(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	switch {
	case text == "":
		return ""
	case isInvisible(first):
		return "begins with " + nameOfRune(first) + ": take it off"
	case isInvisible(last):
		return "ends with " + nameOfRune(last) + ": take it off"
	}
	return ""
}

func isInvisible(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.C, r) }

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func notVisibleASCII(r rune) bool { return r < '!' || r > '~' }

func nameOfRune(r rune) string {
	switch r {
	case ' ':
		return "a blank"
	case '\n':
		return "a newline"
	case '\r':
		return "a carriage return"
	case '\t':
		return "a tab"
	}
	return fmt.Sprintf("an invisible character (U+%04X)", r)
}
