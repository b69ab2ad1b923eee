package testdb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, server, want string
	}{
		{"replaces the path", "postgres://u:p%40ss@db:5433/theirs?sslmode=disable", "postgres://u:p%40ss@db:5433/mine?sslmode=disable"},
		{"adds a path", "postgresql://db", "postgresql://db/mine"},
		{"keeps a socket", "postgres://postgres@/postgres?host=%2Ftmp%2Fs", "postgres://postgres@/mine?host=%2Ftmp%2Fs"},
		{"drops the parameter that would win", "postgres://db/a?dbname=theirs&database=theirs", "postgres://db/mine"},
		{"refuses another scheme", "mysql://u:secret@db/theirs", ""},
		{"refuses keywords and values", "host=db password=secret", ""},
		{"refuses what is not a URL", "postgres://u:secret@%zz", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := withDatabase(test.server, "mine")
			require.Equal(t, test.want, got)
			if test.want == "" {
				require.ErrorContains(t, err, URLVariable)
				require.NotContains(t, err.Error(), "secret")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

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

func TestProcessState(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	state, parent := processState(os.Getpid())
	require.NotEmpty(t, state)
	require.Equal(t, os.Getppid(), parent)
	require.Contains(t, childrenOf(parent), os.Getpid())

	state, _ = processState(-1)
	require.Empty(t, state)
}
