package models_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestParseSearch(t *testing.T) {
	t.Parallel()
	const digits = "01km5g8vwe"
	for text, want := range map[string]models.Search{
		"timeout":                              {Words: []string{"timeout"}, Event: "timeout"},
		"  Timeout ":                           {Words: []string{"timeout"}, Event: "Timeout"},
		"order.created":                        {Words: []string{"order", "created"}, Event: "order.created"},
		"order.":                               {Words: []string{"order"}, Event: "order."},
		"order..":                              {Words: []string{"order"}},
		"customer-42":                          {Words: []string{"customer", "42"}, Event: "customer-42"},
		"timeout customer 42":                  {Words: []string{"timeout", "customer", "42"}},
		"a A a":                                {Words: []string{"a"}},
		"Müller, Ärger":                        {Words: []string{"müller", "Ärger"}},
		"50%_\\'\"":                            {Words: []string{"50"}},
		"a & !b | (c:*) <-> d":                 {Words: []string{"a", "b", "c", "d"}},
		"'; DROP TABLE x; --":                  {Words: []string{"drop", "table", "x"}},
		"dlv_" + digits:                        {Words: []string{"dlv", digits}, ID: "dlv_" + digits, Kind: typeid.KindDelivery},
		"EVT_" + strings.ToUpper(digits) + "X": {Words: []string{"evt", digits + "x"}, ID: "evt_" + digits + "x", Kind: typeid.KindEvent},
		"wh_none_of_ours":                      {Words: []string{"wh", "none", "of", "ours"}, Event: "wh_none_of_ours"},
		"att_" + digits:                        {Words: []string{"att", digits}, Event: "att_" + digits},
		"own_" + strings.Repeat("0", typeid.Digits+1): {
			Words: []string{"own", strings.Repeat("0", typeid.Digits+1)}, Event: "own_" + strings.Repeat("0", typeid.Digits+1),
		},
		strings.Repeat("x", 60): {Words: []string{strings.Repeat("x", 40)}, Event: strings.Repeat("x", 60)},
	} {
		got, err := models.ParseSearch(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestParseSearchRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "expected an ID, an event type, or words",
		" \t":                          "expected an ID, an event type, or words",
		`%_\*'"`:                       "expected an ID, an event type, or words",
		"a\x00":                        "without NUL",
		"a\xff":                        "UTF-8",
		strings.Repeat("ü", 256):       "at most 255 characters; these are 256",
		strings.Repeat("a b c d ", 31): "",
		manyWords(21):                  "at most 20 different words; these are 21",
		"dlv_01km5g8vw":                "at least the first 10 characters behind dlv_",
		"own_5":                        "at least the first 10 characters behind own_",
	} {
		_, err := models.ParseSearch(text)
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
	}
	_, err := models.ParseSearch(manyWords(20))
	require.NoError(t, err)
}

func manyWords(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = strings.Repeat("w", i+1)[:min(i+1, 10)] + string(rune('a'+i))
	}
	return strings.Join(words, " ")
}

// Whatever is read can be asked of a database, and is what its own words say.
func FuzzParseSearch(f *testing.F) {
	for _, seed := range []string{"timeout", "order.created", "dlv_01km5g8vwe", "%_\\", "a\x00b", "\xff", "Ärger K", "a|b & !c:*", strings.Repeat("é", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		search, err := models.ParseSearch(text)
		if err != nil {
			require.Equal(t, models.Search{}, search)
			return
		}
		require.NotEmpty(t, search.Words)
		require.LessOrEqual(t, len(search.Words), models.MaxSearchWords)
		for i, word := range search.Words {
			require.True(t, utf8.ValidString(word) && word != "" && !slices.Contains(search.Words[:i], word))
			require.Equal(t, -1, strings.IndexFunc(word, func(r rune) bool {
				return r < utf8.RuneSelf && !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", r)
			}))
		}
		require.Equal(t, search.Words, models.Words(strings.Join(search.Words, "-")))
		require.Equal(t, -1, strings.IndexFunc(search.ID+search.Event, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf }))
		if search.ID != "" {
			require.True(t, typeid.Is(search.Kind, search.ID))
		}
	})
}
