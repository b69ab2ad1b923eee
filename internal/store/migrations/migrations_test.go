package migrations_test

import (
	"context"
	"database/sql"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
)

// migrationFiles is how many files each folder has.
func migrationFiles(t *testing.T, dialect string) int {
	t.Helper()
	files, err := os.ReadDir(dialect)
	require.NoError(t, err)
	return len(files)
}

// newestVersion is the number that the last file of a folder begins with.
func newestVersion(t *testing.T, dialect string) int64 {
	t.Helper()
	files, err := os.ReadDir(dialect)
	require.NoError(t, err)
	number, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
	version, err := strconv.ParseInt(number, 10, 64)
	require.NoError(t, err)
	return version
}

func TestUp(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db, dialect := open(t, url)
		want := migrationFiles(t, dialect)
		pending, err := migrations.Pending(t.Context(), db, dialect)
		require.NoError(t, err)
		require.True(t, pending)

		result, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		require.Len(t, result.Applied, want)
		require.Equal(t, newestVersion(t, dialect), result.Version)
		pending, err = migrations.Pending(t.Context(), db, dialect)
		require.NoError(t, err)
		require.False(t, pending)

		again, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		require.Empty(t, again.Applied)
		require.Equal(t, result.Version, again.Version)
		var owners int
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM owners").Scan(&owners))
		require.Equal(t, 1, owners)
	})
}

// Both databases have the same migrations, so that a version means the same schema.
func TestEveryMigrationIsThereForEachDatabase(t *testing.T) {
	t.Parallel()
	names := func(dialect string) (names []string) {
		files, err := os.ReadDir(dialect)
		require.NoError(t, err)
		for _, file := range files {
			names = append(names, file.Name())
		}
		return names
	}
	require.Equal(t, names("postgres"), names("sqlite"))
}

// Processes that start together on an empty database: one migrates, the others wait for it.
func TestUpAtOnce(t *testing.T) {
	t.Parallel()
	url := testdb.Postgres(t)
	results := make([]migrations.Result, 3)
	errs := make([]error, len(results))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range results {
		db, dialect := open(t, url)
		require.NoError(t, db.PingContext(t.Context()), "connect beforehand, so that they really meet")
		all.Go(func() {
			<-start
			results[i], errs[i] = migrations.Up(t.Context(), db, dialect)
		})
	}
	close(start)
	all.Wait()
	want := migrationFiles(t, "postgres")
	applied := 0
	for i, result := range results {
		require.NoError(t, errs[i])
		require.Equal(t, newestVersion(t, "postgres"), result.Version)
		applied += len(result.Applied)
	}
	require.Equal(t, want, applied, "each migration ran once")
}

func TestDownTakesEverythingBack(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db, dialect := open(t, url)
		_, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		name := goose.DialectPostgres
		tables := "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%'"
		if dialect == "sqlite" {
			name = goose.DialectSQLite3
			tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'"
		}
		provider, err := goose.NewProvider(name, db, os.DirFS(dialect))
		require.NoError(t, err)
		_, err = provider.DownTo(t.Context(), 0)
		require.NoError(t, err)
		var left int
		require.NoError(t, db.QueryRowContext(t.Context(), tables).Scan(&left))
		require.Zero(t, left)
		_, err = migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
	})
}

// What is deleted loses its credentials, and each pattern learns its webhook's owner.
func TestUpFromBeforeSealedHeaders(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db, dialect := openAt(t, url, 7)
		for _, statement := range []string{
			`INSERT INTO webhooks (id, owner_id, url, host, events, headers, active, secret, created_at, updated_at, deleted_at) VALUES
				('wh_a', 'own_a', 'https://h:1/p?token=1', 'h:1', '[]', '{"X-A":"1"}', TRUE, 's', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, NULL),
				('wh_b', 'own_b', 'http://i/p?token=2', 'i', '[]', '{"X-B":"2"}', FALSE, 's', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)`,
			`INSERT INTO webhook_patterns (pattern, webhook_id) VALUES ('*', 'wh_a'), ('a', 'wh_none')`,
		} {
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		_, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		for query, want := range map[string]string{
			"SELECT url || headers FROM webhooks WHERE id = 'wh_a'":                     `https://h:1/p?token=1{"X-A":"1"}`,
			"SELECT url || headers FROM webhooks WHERE id = 'wh_b'":                     `http://i{}`,
			"SELECT owner_id FROM webhook_patterns WHERE webhook_id = 'wh_a'":           "own_a",
			"SELECT '-' || owner_id FROM webhook_patterns WHERE webhook_id = 'wh_none'": "-",
			"SELECT count(*) || '' FROM webhooks WHERE sealed_headers IS NOT NULL":      "0",
			"SELECT count(*) || '' FROM webhook_patterns WHERE pattern IN ('*', 'a')":   "2",
		} {
			var got string
			require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&got), query)
			require.Equal(t, want, got, query)
		}
	})
}

func TestUpWithoutADatabase(t *testing.T) {
	t.Parallel()
	db, dialect := open(t, testdb.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := migrations.Up(ctx, db, dialect)
	require.ErrorIs(t, err, context.Canceled)
	_, err = migrations.Pending(ctx, db, dialect)
	require.ErrorIs(t, err, context.Canceled)
	_, err = migrations.Up(t.Context(), db, "mysql")
	require.Error(t, err)
}

func open(t *testing.T, url string) (db *sql.DB, dialect string) {
	t.Helper()
	dialect, file, _ := strings.Cut(url, "://")
	source, driver := url, "pgx"
	if dialect == "sqlite" {
		source, driver = "file:"+file, "sqlite"
	}
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, dialect
}

// openAt opens a database and brings it to a version.
func openAt(t *testing.T, url string, version int64) (db *sql.DB, dialect string) {
	t.Helper()
	db, dialect = open(t, url)
	name := goose.DialectPostgres
	if dialect == "sqlite" {
		name = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(name, db, os.DirFS(dialect))
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), version)
	require.NoError(t, err)
	return db, dialect
}
