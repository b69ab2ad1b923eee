package egress

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// CheckEnds refuses a text that begins or ends with a character which a person does not see: what is pasted
// often brings one along. The error names the character and its place.
func CheckEnds(text string) error {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && invisible(first) {
		return fmt.Errorf("begins with %s: remove it", nameOf(first))
	}
	if last, _ := utf8.DecodeLastRuneInString(text); text != "" && invisible(last) {
		return fmt.Errorf("ends with %s, its character %d: remove it", nameOf(last), utf8.RuneCountInString(text))
	}
	return nil
}

// CheckASCII refuses a text with a character that is not ASCII, and names it.
func CheckASCII(text string) error {
	return checkCharacters(text, func(r rune) bool { return r <= unicode.MaxASCII })
}

// checkCharacters refuses a text with a character that is not allowed, and names the first one.
func checkCharacters(text string, allowed func(rune) bool) error {
	place := 0
	for _, r := range text {
		place++
		if !allowed(r) {
			return errors.New(nameOf(r) + " at its character " + fmt.Sprint(place))
		}
	}
	return nil
}

func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp) || isFiller(r)
}

// isFiller knows letters that are drawn as nothing.
func isFiller(r rune) bool { return r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' }

// nameOf names a character so that it is found, also where it is not seen.
func nameOf(r rune) string {
	names := map[rune]string{
		0: "a NUL", '\t': "a tab", '\n': "a newline", '\r': "a carriage return",
		'\u00a0': "a no-break space", '\u00ad': "a soft hyphen", '\u200b': "a zero-width space",
		'\u200c': "a zero-width non-joiner", '\u200d': "a zero-width joiner", '\u2060': "a word joiner",
		'\ufeff': "a byte order mark", utf8.RuneError: "what is not UTF-8",
	}
	name, known := names[r]
	switch {
	case r == ' ':
		return "a space"
	case known:
	case unicode.IsControl(r):
		name = "a control character"
	case unicode.IsSpace(r):
		name = "a blank"
	case invisible(r) || !unicode.IsPrint(r):
		name = "an invisible character"
	default:
		return fmt.Sprintf("%q", r)
	}
	return fmt.Sprintf("%s (U+%04X)", name, r)
}
