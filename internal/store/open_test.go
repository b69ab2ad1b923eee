package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
)

// A path is taken as it is written, whatever it means in a URI.
func TestOpenTakesPathsLiterally(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a#1 b?c=d%41&é", "x.db")
	require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
	db, err := store.Open("sqlite://"+file, 1)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.PingContext(t.Context()))
	require.NoError(t, pool.Close())
	require.FileExists(t, file)
}
