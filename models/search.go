package models

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/typeid"
)

// Bounds of a search: of its text in characters, and of the words in it.
const (
	MaxSearch      = 255
	MaxSearchWords = 20
)

// maxWord is how many characters of a word count.
const maxWord = 40

// minIDDigits is how many of an ID's digits tell things apart: they are the millisecond in which it was made.
const minIDDigits = 10

// ErrSearchTooWide says that a search is the beginning of more IDs or types than are looked up.
var ErrSearchTooWide = errors.New("too much begins with this: give more of it")

// Search is what a text may mean to someone who looks for deliveries: each of it may be empty, and what one of them finds
// is found. The zero value finds everything.
type Search struct {
	// Text is what someone wrote, before ParseSearch has made the rest of it.
	Text string
	// Words are all in the delivery's last error or the values of its event's metadata.
	Words []string
	// ID is an ID, or the beginning of one, of a delivery, or of its event, webhook or owner, as Kind says.
	ID   string
	Kind typeid.Kind
	// Event is a type of events, or the beginning of one.
	Event string
}

// searchedKinds are those of the IDs that a delivery has.
var searchedKinds = []typeid.Kind{typeid.KindDelivery, typeid.KindEvent, typeid.KindWebhook, typeid.KindOwner}

// ParseSearch reads the text of a search. Its errors are sentences for who wrote it.
func ParseSearch(text string) (Search, error) {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return Search{}, errors.New("expected text in UTF-8 without NUL")
	case utf8.RuneCountInString(text) > MaxSearch:
		return Search{}, fmt.Errorf("expected at most %d characters; these are %d", MaxSearch, utf8.RuneCountInString(text))
	}
	search := Search{Words: Words(text)}
	switch n := len(search.Words); {
	case n == 0:
		return Search{}, errors.New("expected an ID, an event type, or words: letters and digits; the others only divide words")
	case n > MaxSearchWords:
		return Search{}, fmt.Errorf("expected at most %d different words; these are %d: the rarest will do", MaxSearchWords, n)
	}
	if kind, digits, ok := cutID(strings.ToLower(text)); ok {
		if len(digits) < minIDDigits {
			return Search{}, fmt.Errorf("expected at least the first %d characters behind %s_: fewer are the same for all that was made at about the same time", minIDDigits, kind)
		}
		search.ID, search.Kind = strings.ToLower(text), kind
	} else if CheckEventType(strings.TrimSuffix(text, ".")) == nil {
		search.Event = text
	}
	return search, nil
}

// cutID divides what looks like an ID or the beginning of one, of a kind that deliveries have.
func cutID(text string) (kind typeid.Kind, digits string, ok bool) {
	for _, kind := range searchedKinds {
		digits, ok := strings.CutPrefix(text, string(kind)+"_")
		if ok && digits != "" && len(digits) <= typeid.Digits && strings.Trim(digits, typeid.Alphabet) == "" {
			return kind, digits, true
		}
	}
	return "", "", false
}

// Words are the words of a text, each once: letters and digits in lower case. All beyond ASCII is part of words and stays as
// it is. The database divides what is searched in the same way.
func Words(text string) []string {
	var words []string
	seen := map[string]bool{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return r < utf8.RuneSelf && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		word = strings.Map(lowerASCII, word)
		if runes := []rune(word); len(runes) > maxWord {
			word = string(runes[:maxWord])
		}
		if !seen[word] {
			seen[word] = true
			words = append(words, word)
		}
	}
	return words
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
