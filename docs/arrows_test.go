package docs_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the path of the project's packages.
const module = "github.com/postrider/postrider/"

// Each arrow of the first picture in architecture.md is an import of the code.
func TestArrowsAreImports(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	_, picture, found := strings.Cut(string(text), "```mermaid\n")
	require.True(t, found)
	picture, _, _ = strings.Cut(picture, "```")
	arrows := regexp.MustCompile(`(?m)^\s+([\w/-]+) --> ([\w/-]+)$`).FindAllStringSubmatch(picture, -1)
	require.NotEmpty(t, arrows)
	for _, arrow := range arrows {
		from, to := arrow[1], arrow[2]
		require.Contains(t, importsOf(t, from), module+to, "architecture.md draws an arrow from %s to %s", from, to)
	}
}

// importsOf returns what the code in a folder imports, without its tests.
func importsOf(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	var imports []string
	for _, path := range found {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			imports = append(imports, name)
		}
	}
	return imports
}

// The table of architecture.md says of every package what it does.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	for _, pattern := range []string{"internal/*", "internal/dispatch/*"} {
		folders, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, folder := range folders {
			info, err := os.Stat(folder)
			require.NoError(t, err)
			name, err := filepath.Rel(root, folder)
			require.NoError(t, err)
			if info.IsDir() && !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("architecture.md does not say what %s does", name)
			}
		}
	}
}
