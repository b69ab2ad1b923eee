package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostWords is how many words of ours there may be.
const mostWords = 18

// Each word of the glossary is defined by what its entry names, in the file that it names.
func TestGlossaryNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("glossary.md")
	require.NoError(t, err)
	entry := regexp.MustCompile("(?m)^- \\*\\*([^*]+)\\*\\* \\(\\[`([\\w.]+)`\\]\\(\\.\\./([\\w./]+)\\)\\): .+")
	entries := entry.FindAllStringSubmatch(string(content), -1)
	require.Len(t, entries, strings.Count(string(content), "\n- "), "each entry is: - **word** ([`Name`](../path.go)): explanation")
	require.LessOrEqual(t, len(entries), mostWords, "find a word that engineers know already")
	words := map[string]bool{}
	for _, match := range entries {
		word, name, file := match[1], match[2], match[3]
		require.False(t, words[word], "%s stands twice in glossary.md", word)
		words[word] = true
		require.FileExists(t, "../"+file, "glossary.md: the file that defines %s is gone: write where %s is now", word, name)
		require.NotNil(t, declarationsOf(t, file)[name],
			"glossary.md: %s does not declare %s any more: write what defines %s now, or remove the word", file, name, word)
	}
}
