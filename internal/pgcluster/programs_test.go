package pgcluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// It does not run in parallel because it sets PATH.
func TestFindPrograms(t *testing.T) {
	root := t.TempDir()
	install := func(folder string) programs {
		bin := filepath.Join(root, folder)
		require.NoError(t, os.MkdirAll(bin, 0o700))
		found := programs{initdb: filepath.Join(bin, "initdb"), postgres: filepath.Join(bin, "postgres")}
		require.NoError(t, os.WriteFile(found.initdb, nil, 0o700))
		require.NoError(t, os.WriteFile(found.postgres, nil, 0o700))
		return found
	}
	patterns := []string{filepath.Join(root, "lib", "*", "bin"), filepath.Join(root, "opt", "postgresql@*", "bin")}
	t.Setenv("PATH", filepath.Join(root, "path"))

	_, err := findPrograms(patterns...)
	require.ErrorIs(t, err, ErrNotInstalled)
	require.ErrorContains(t, err, "make prerequisites")

	install("lib/9.6/bin")
	newest := install("lib/17/bin")
	install("lib/15/bin")
	install("lib/common/bin")
	found, err := findPrograms(patterns...)
	require.NoError(t, err)
	require.Equal(t, newest, found)

	install("opt/postgresql@9/bin")
	newest = install("opt/postgresql@18/bin")
	found, err = findPrograms(patterns...)
	require.NoError(t, err)
	require.Equal(t, newest, found)

	onPath := install("path")
	found, err = findPrograms(patterns...)
	require.NoError(t, err)
	require.Equal(t, onPath, found)
}
