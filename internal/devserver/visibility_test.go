package devserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/devserver"
	"github.com/postrider/postrider/internal/testdb"
)

// Temporal finds workflows without most of the indexes of its visibility table; all of them come back, and
// running either file again changes nothing.
func TestFewerVisibilityIndexes(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	server := start(t, devserver.Config{
		DatabaseURL: postgresURL(cluster), UIPort: devserver.NoUI,
		SearchAttributes: map[string]enumspb.IndexedValueType{"PostriderEvent": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	})
	visibility := strings.Replace(postgresURL(cluster), "/temporal?", "/temporal_visibility?", 1)
	indexes := func() []string {
		t.Helper()
		return query[string](t, visibility, "SELECT indexdef FROM pg_indexes WHERE tablename = 'executions_visibility' ORDER BY indexname")
	}
	all := indexes()
	for range 2 {
		runFile(t, visibility, "fewer-visibility-indexes.sql")
	}
	fewer := indexes()
	require.Subset(t, all, fewer)
	require.Less(t, len(fewer), len(all)/4)

	c := dial(t, server.Address(), client.Options{})
	run(t, c, client.StartWorkflowOptions{ID: "found", TypedSearchAttributes: temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword("PostriderEvent").ValueSet("order.created"))}, greet, "found")
	for _, filter := range []string{`PostriderEvent = "order.created"`, `WorkflowId = "found"`, `ExecutionStatus = "Running" AND RootWorkflowId = "found"`} {
		require.Contains(t, list(t, c, filter), "found", filter)
	}

	for range 2 {
		runFile(t, visibility, "all-visibility-indexes.sql")
	}
	require.Equal(t, all, indexes())
}

// runFile runs a file of deploy/temporal as psql does.
func runFile(t *testing.T, databaseURL, name string) {
	t.Helper()
	statements, err := os.ReadFile(filepath.Join("..", "..", "deploy", "temporal", name))
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	_, err = conn.PgConn().Exec(t.Context(), string(statements)).ReadAll()
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}
