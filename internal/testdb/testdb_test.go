package testdb_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // the driver that SQLite's URLs are for

	"github.com/postrider/postrider/internal/testdb"
)

// noSuchDatabase is PostgreSQL's invalid_catalog_name.
const noSuchDatabase = "3D000"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPostgresIsEmptyAndTheTestsOwn(t *testing.T) {
	t.Parallel()
	first, second := connect(t, testdb.Postgres(t)), connect(t, testdb.Postgres(t))

	for _, conn := range []*pgx.Conn{first, second} {
		require.Zero(t, count(t, conn, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"))
	}
	execute(t, first, "CREATE TABLE parcel (id int PRIMARY KEY)")
	// The second would fail if it were the same database.
	execute(t, second, "CREATE TABLE parcel (id int PRIMARY KEY)")
}

func TestPostgresIsDroppedWithItsConnections(t *testing.T) {
	t.Parallel()
	var url string
	var left *pgx.Conn
	t.Run("test", func(t *testing.T) {
		url = testdb.Postgres(t)
		var err error
		left, err = pgx.Connect(t.Context(), url)
		require.NoError(t, err)
	})

	require.Error(t, left.Ping(t.Context()), "the connection that the test left open")
	_, err := pgx.Connect(t.Context(), url)
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, noSuchDatabase, refused.Code)
}

func TestSQLiteIsEmptyAndTheTestsOwn(t *testing.T) {
	t.Parallel()
	for _, url := range []string{testdb.SQLite(t), testdb.SQLite(t)} {
		file, isSQLite := strings.CutPrefix(url, "sqlite://")
		require.True(t, isSQLite)
		require.True(t, strings.HasSuffix(file, "/postrider.db"))
		require.NoFileExists(t, file)
		db, err := sql.Open("sqlite", "file:"+file)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "CREATE TABLE parcel (id INTEGER PRIMARY KEY)")
		require.NoError(t, errors.Join(err, db.Close()))
	}
}

func TestEachRunsEveryKindOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ran := map[string]string{}
	t.Run("kinds", func(t *testing.T) {
		testdb.Each(t, func(t *testing.T, url string) {
			mu.Lock()
			defer mu.Unlock()
			ran[strings.TrimPrefix(t.Name(), "TestEachRunsEveryKindOnce/kinds/")] = url
		})
	})

	require.Len(t, ran, 2)
	require.Regexp(t, "^postgres(ql)?://", ran["postgres"])
	require.Regexp(t, "^sqlite://", ran["sqlite"])
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	require.NoError(t, err)
}

func count(t *testing.T, conn *pgx.Conn, query string) int {
	t.Helper()
	var n int
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	return n
}
