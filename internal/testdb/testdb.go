// Package testdb gives every test a database of its own, on each kind of database that Postrider runs on.
//
// PostgreSQL is real. It is the server that POSTRIDER_TEST_DATABASE_URL names, and otherwise a throwaway
// server that the test process starts when the first test asks for one and that ends with the process,
// however the process ends. `make test` starts one server for all packages. The package needs a Unix system
// and, without that variable, an installed PostgreSQL: tests fail when there is none, they do not skip.
package testdb

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/pgcluster"
)

// patience bounds one statement, also on a busy machine.
const patience = time.Minute

// URLVariable names the environment variable with the postgres:// URL of the server to make databases on.
// Its user must be allowed to create databases.
const URLVariable = "POSTRIDER_TEST_DATABASE_URL"

// Each runs the test once per kind of database, "postgres" and "sqlite", as parallel subtests.
// The URL is that of an empty database that only this subtest uses.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	kinds := []struct {
		name string
		open func(testing.TB) string
	}{
		{"postgres", Postgres},
		{"sqlite", SQLite},
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			test(t, kind.open(t))
		})
	}
}

// SQLite returns the sqlite:// URL of a file that does not exist yet, in a folder that goes with the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "postrider.db")
}

// Postgres returns the postgres:// URL of an empty database that is dropped, along with any connection that
// is still open, when the test ends. It is a database rather than a schema because advisory locks and
// notifications reach across the schemas of one database.
func Postgres(t testing.TB) string {
	t.Helper()
	// The template without additions, because someone's server may have something in template1.
	return PostgresFrom(t, "template0")
}

// NewCluster starts a server that belongs to the test and is closed when the test ends. Most tests want Postgres:
// a server of their own is for tests that stop or kill it.
func NewCluster(t testing.TB) *pgcluster.Cluster {
	t.Helper()
	cluster, err := pgcluster.Start(pgcluster.Options{})
	require.NoError(t, err, "start a PostgreSQL server for the test")
	t.Cleanup(func() { require.NoError(t, cluster.Close()) })
	return cluster
}

// execute runs one statement on a connection of its own. It has its own context because a test's context is
// over when its cleanups run.
func execute(url, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closing := conn.Close(ctx); err == nil {
		err = closing
	}
	return err
}
