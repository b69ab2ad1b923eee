// Package docs_test holds the documents against what they speak of.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of the project.
const root = ".."

// files returns the text of the project's files whose names end so, by their path.
func files(t testing.TB, suffix string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	require.NoError(t, err)
	return texts
}

// A document that says which test shows something names one that is there, in the file that it names.
func TestTestsThatDocumentsName(t *testing.T) {
	t.Parallel()
	declared := map[string][]string{} // files by test
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	for path, text := range files(t, "_test.go") {
		for _, match := range declaration.FindAllStringSubmatch(text, -1) {
			declared[match[1]] = append(declared[match[1]], path)
		}
	}
	// A test, or a story of one, which may stand in another file; then, perhaps, the file.
	mention := regexp.MustCompile("`((?:Test|Benchmark)[A-Z]\\w+)(?:/[^`]*)?`")
	place := regexp.MustCompile("^(?:, `Test[^`]*`)* \\(`([\\w./-]+)`\\)")
	mentions := 0
	for path, text := range files(t, ".md") {
		for _, at := range mention.FindAllStringSubmatchIndex(text, -1) {
			mentions++
			name := text[at[2]:at[3]]
			if len(declared[name]) == 0 {
				t.Errorf("%s names %s, which is not there", path, name)
				continue
			}
			in := place.FindStringSubmatch(text[at[1]:])
			story := strings.Contains(text[at[0]:at[1]], "/")
			if in == nil || story {
				continue
			}
			named := filepath.Join(root, in[1]) // a file, or the folder of a package
			if !slices.ContainsFunc(declared[name], func(file string) bool { return file == named || filepath.Dir(file) == named }) {
				t.Errorf("%s says that %s is in %s, not in %s", path, name, in[1], declared[name])
			}
		}
	}
	require.NotZero(t, mentions)
}

// A link from one document to another leads to a file, and to a heading of it.
func TestLinksAmongDocuments(t *testing.T) {
	t.Parallel()
	documents := files(t, ".md")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	links := 0
	for path, text := range documents {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, ":") {
				continue // elsewhere
			}
			links++
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
				_, err := os.Stat(file)
				require.NoError(t, err, "%s links to %s", path, match[1])
			}
			if heading != "" {
				require.Contains(t, anchors(documents[file]), heading, "%s links to %s", path, match[1])
			}
		}
	}
	require.NotZero(t, links)
}

// anchors are the names by which GitHub links to a document's headings.
func anchors(text string) []string {
	var names []string
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		name := dropped.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
