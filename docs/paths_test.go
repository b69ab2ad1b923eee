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

// generated are files that documents speak of and that a command writes.
var generated = []string{"bin/bench-report.html", "bin/bench-report.json"}

// A file or folder that a document names in backticks is there: with its path from the root of the project, or by its
// name alone.
func TestPathsThatDocumentsName(t *testing.T) {
	t.Parallel()
	tops, names := tree(t)
	code := regexp.MustCompile("`([\\w./*-]+)`")
	file := regexp.MustCompile(`^[\w./*-]*\w\.(go|md|sql|tmpl|yaml|mod|sum)$`)
	mentions := 0
	for path, text := range files(t, ".md") {
		if filepath.Base(path) == "CHANGELOG.md" {
			continue // it tells of earlier versions
		}
		for _, match := range code.FindAllStringSubmatch(text, -1) {
			name := strings.TrimSuffix(match[1], "/...")
			top, _, hasFolder := strings.Cut(name, "/")
			switch {
			case slices.Contains(generated, name):
			case hasFolder && slices.Contains(tops, top):
				mentions++
				found, err := filepath.Glob(filepath.Join(root, name))
				require.NoError(t, err)
				if len(found) == 0 {
					t.Errorf("%s names %s, which is not there", path, name)
				}
			case !hasFolder && file.MatchString(name):
				mentions++
				if !slices.ContainsFunc(names, func(other string) bool { ok, _ := filepath.Match(name, other); return ok }) {
					t.Errorf("%s names %s, which is nowhere", path, name)
				}
			}
		}
	}
	require.NotZero(t, mentions)
}

// tree returns the folders at the root of the project and the names of all files.
func tree(t *testing.T) (tops, names []string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			tops = append(tops, entry.Name())
		}
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == ".git" {
			return fs.SkipDir
		}
		names = append(names, entry.Name())
		return err
	})
	require.NoError(t, err)
	return tops, names
}

// A benchmark that a document says how to run is in the package that it names.
func TestBenchmarksThatDocumentsRun(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`go test \./([\w/]+?)/? [^\n]*-bench (\w+)`)
	tests := files(t, "_test.go")
	mentions := 0
	for path, text := range files(t, ".md") {
		for _, match := range command.FindAllStringSubmatch(text, -1) {
			mentions++
			folder, found := filepath.Join(root, match[1]), false
			for file, content := range tests {
				found = found || filepath.Dir(file) == folder && strings.Contains(content, "\nfunc Benchmark"+match[2])
			}
			if !found {
				t.Errorf("%s runs the benchmark %s of %s, which is not there", path, match[2], match[1])
			}
		}
	}
	require.NotZero(t, mentions)
}
