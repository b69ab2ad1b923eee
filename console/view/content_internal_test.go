package view

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is no text, and what a terminal would obey, is shown by a sign.
func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\uFFFDb\n\t␀␛␡é", text([]byte("a\xff\xfeb\n\t\x00\x1b\x7fé")))
}

// What is cut is cut between characters, and only where the rest can be had.
func TestBeginning(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "x", "xx", "xxx"} {
		shown, cut := beginning([]byte(before+strings.Repeat("😀", mostInPage)), true)
		require.True(t, cut)
		require.True(t, isText(shown))
		require.Greater(t, len(shown), mostInPage-4)
	}
	broken := []byte(strings.Repeat("\x80", mostInPage+1))
	shown, cut := beginning(broken, true)
	require.True(t, cut)
	require.GreaterOrEqual(t, len(shown), mostInPage-4)
	shown, cut = beginning(broken, false)
	require.False(t, cut)
	require.Equal(t, broken, shown)
}

// Indentation must not make much of little.
func TestPretty(t *testing.T) {
	t.Parallel()
	require.Equal(t, "{\n  \"a\": 1\n}", pretty([]byte(`{"a":1}`)))
	require.Equal(t, "no JSON", pretty([]byte("no JSON")))
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	require.Equal(t, deep, pretty([]byte(deep)))
	require.Empty(t, pretty(nil))
}
