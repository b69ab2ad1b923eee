package devserver_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/devserver"
	"github.com/postrider/postrider/internal/pgcluster"
	"github.com/postrider/postrider/internal/testdb"
)

// postgresURL names a database for Temporal that does not exist yet.
func postgresURL(cluster *pgcluster.Cluster) string {
	return strings.Replace(cluster.URL(), "/postgres?", "/temporal?", 1)
}

func TestPostgresStopAndStart(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	cfg := devserver.Config{
		DatabaseURL: postgresURL(cluster), UIPort: devserver.NoUI, HistoryShards: 3,
		SearchAttributes: map[string]enumspb.IndexedValueType{"PostriderEvent": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	}
	first, err := devserver.Start(t.Context(), cfg)
	require.NoError(t, err)
	c := dial(t, first.Address(), client.Options{})
	for _, id := range []string{"one", "two", "three", "four"} { // each in some shard
		run(t, c, client.StartWorkflowOptions{ID: id}, greet, id)
	}
	run(t, c, client.StartWorkflowOptions{ID: "found", TypedSearchAttributes: temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword("PostriderEvent").ValueSet("order.created"))}, greet, "found")
	require.Equal(t, []string{"found"}, list(t, c, `PostriderEvent = "order.created"`))

	_, err = devserver.Start(t.Context(), cfg)
	require.ErrorIs(t, err, devserver.ErrDatabase)
	require.ErrorContains(t, err, "another server uses it")
	require.NoError(t, first.Stop())

	cfg.HistoryShards = 8 // the database keeps its three
	second := start(t, cfg)
	c = dial(t, second.Address(), client.Options{})
	work(t, c)
	for _, id := range []string{"one", "two", "three", "four"} {
		require.Equal(t, "hello "+id, result(t, c.GetWorkflow(t.Context(), id, "")))
	}
	require.ElementsMatch(t, []string{"postgres", "temporal", "temporal_visibility"}, databases(t, cluster.URL()))
	require.Equal(t, 3, shards(t, cfg.DatabaseURL))
}

func databases(t *testing.T, databaseURL string) []string {
	t.Helper()
	return query[string](t, databaseURL, "SELECT datname FROM pg_database WHERE NOT datistemplate")
}

func shards(t *testing.T, databaseURL string) int {
	t.Helper()
	return query[int](t, databaseURL, "SELECT count(*) FROM shards")[0]
}

// query returns a statement's only column.
func query[T any](t *testing.T, databaseURL, statement string) []T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	rows, err := conn.Query(t.Context(), statement)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return values
}

// A server outlives its database: it goes on when PostgreSQL is back.
func TestPostgresKilled(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	server := start(t, devserver.Config{DatabaseURL: postgresURL(cluster), UIPort: devserver.NoUI})
	c := dial(t, server.Address(), client.Options{})
	waiting := run(t, c, client.StartWorkflowOptions{ID: "waiting"}, await)
	sleeping := run(t, c, client.StartWorkflowOptions{ID: "sleeping"}, nap, time.Second)

	require.NoError(t, cluster.Kill())
	_, err := c.DescribeWorkflowExecution(shortly(t), "waiting", "")
	require.Error(t, err)
	require.NoError(t, cluster.Start())

	work(t, c)
	require.Eventually(t, func() bool {
		return c.SignalWorkflow(t.Context(), "waiting", waiting.GetRunID(), "go", "still here") == nil
	}, patience, 100*time.Millisecond)
	require.Equal(t, "still here", result(t, waiting))
	require.Equal(t, "slept", result(t, sleeping))
	require.Empty(t, server.Failed())
}

func shortly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ url, want string }{
		"another kind of database": {"mysql://user:hunter2@host/temporal", "must be postgres://"},
		"not a URL":                {"postgres://user:hunter2@host:port/temporal", "must be postgres://"},
		"without a database":       {"postgres://user:hunter2@127.0.0.1:1", "must end with the name of a database"},
		"a name too long for two":  {"postgres://user:hunter2@127.0.0.1:1/" + strings.Repeat("t", 53), "may have 52 bytes"},
		"nobody there":             {"postgres://user:hunter2@127.0.0.1:1/temporal", "connection refused"},
		"bad options":              {"postgres://user:hunter2@127.0.0.1:1/temporal?sslmode=perhaps", "cannot be parsed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := devserver.Start(t.Context(), devserver.Config{DatabaseURL: tc.url, UIPort: devserver.NoUI})
			require.ErrorIs(t, err, devserver.ErrDatabase)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
