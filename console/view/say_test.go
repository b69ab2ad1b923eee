package view

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// said finds the texts that templates say, and those that they hand on to be said.
var said = regexp.MustCompile(`say\(ctx, ("(?:[^"\\]|\\.)*")`)

// titled finds the titles of pages.
var titled = regexp.MustCompile(`(?:Title|BackTitle): +("(?:[^"\\]|\\.)*")`)

// textsIn returns the texts that a pattern finds in files.
func textsIn(t *testing.T, pattern *regexp.Regexp, globs ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, glob := range globs {
		paths, err := filepath.Glob(glob)
		require.NoError(t, err)
		for _, path := range paths {
			if strings.HasSuffix(path, "_templ.go") || strings.HasSuffix(path, "_test.go") {
				continue
			}
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, match := range pattern.FindAllStringSubmatch(string(content), -1) {
				text, err := strconv.Unquote(match[1])
				require.NoError(t, err)
				found[text] = path
			}
		}
	}
	return found
}

// Every text of the pages is in every language, with the same values in it.
func TestEveryTextIsTranslated(t *testing.T) {
	t.Parallel()
	texts := textsIn(t, said, "*.templ", "*.go")
	for text, path := range textsIn(t, titled, "../*.go") {
		texts[text] = path
	}
	for _, status := range statuses() {
		texts[words(string(status))] = "statuses"
	}
	for _, class := range models.ErrorClasses() {
		texts[words(string(class))] = "error classes"
	}
	require.Greater(t, len(texts), 200)
	verbs := regexp.MustCompile(`%[^%]`)
	for name, translations := range messages {
		if name == "en" {
			continue
		}
		for text, path := range texts {
			translated, ok := translations[text]
			if !ok {
				t.Errorf("%s: %s.json does not have %q", path, name, text)
				continue
			}
			require.ElementsMatch(t, verbs.FindAllString(text, -1), verbs.FindAllString(strings.ReplaceAll(translated, "[1]", ""), -1), "%s.json: %q", name, text)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr": "en", "fr, de;q=0.5": "de", "en-GB": "en", "nonsense;;;": "en", "*": "en",
	} {
		require.Equal(t, want, Language(accepted), accepted)
	}
}
