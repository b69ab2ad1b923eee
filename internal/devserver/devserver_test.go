package devserver_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/devserver"
	"github.com/postrider/postrider/internal/testdb"
)

func TestStartRunsWorkflow(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "file": filepath.Join(t.TempDir(), "made by", "Start?#%")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, devserver.Config{DataDir: dir, Namespace: "orders", UIPort: devserver.NoUI})
			require.Empty(t, server.UIURL())
			c := dial(t, server.Address(), client.Options{Namespace: "orders"})
			work(t, c)
			require.Equal(t, "hello you", result(t, run(t, c, client.StartWorkflowOptions{}, greet, "you")))
			if dir != "" {
				require.FileExists(t, filepath.Join(dir, "temporal.db-wal"))
			}
		})
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	retention := func(cfg devserver.Config) time.Duration {
		server, err := devserver.Start(t.Context(), cfg)
		require.NoError(t, err)
		defer func() { require.NoError(t, server.Stop()) }()
		c := dial(t, server.Address(), client.Options{})
		answer, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
		require.NoError(t, err)
		return answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	}
	cfg := devserver.Config{DataDir: t.TempDir(), UIPort: devserver.NoUI}
	require.Equal(t, 7*24*time.Hour, retention(cfg))
	cfg.Retention = 2 * time.Hour
	require.Equal(t, 2*time.Hour, retention(cfg), "a data directory takes over another retention")
}

func TestSurvivesKill(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"file": t.TempDir(), "postgres": postgresURL(testdb.NewCluster(t))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			survivesKill(t, data)
		})
	}
}

func survivesKill(t *testing.T, data string) {
	process := newChild(t, data)
	address := process.do("start")[0]
	c := dial(t, address, client.Options{})
	stop := work(t, c)
	// Longer than it takes to kill one server and start the next.
	sleeping := run(t, c, client.StartWorkflowOptions{ID: "sleeping"}, nap, 5*time.Second)
	waiting := run(t, c, client.StartWorkflowOptions{ID: "waiting"}, await)
	// A workflow task that is under way when the server dies is repeated only
	// when it has timed out.
	waitForEvent(t, c, sleeping, enumspb.EVENT_TYPE_TIMER_STARTED)
	waitForEvent(t, c, waiting, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
	stop()
	process.kill()

	server := start(t, on(data))
	c = dial(t, server.Address(), client.Options{})
	work(t, c)
	require.NoError(t, c.SignalWorkflow(t.Context(), "waiting", waiting.GetRunID(), "go", "still here"))
	require.Equal(t, "still here", result(t, c.GetWorkflow(t.Context(), "waiting", waiting.GetRunID())))
	require.Equal(t, "slept", result(t, c.GetWorkflow(t.Context(), "sleeping", sleeping.GetRunID())))
}

// waitForEvent returns once a workflow's history has an event of the type.
func waitForEvent(t *testing.T, c client.Client, run client.WorkflowRun, wanted enumspb.EventType) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	history := c.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		if event.GetEventType() == wanted {
			return
		}
	}
	require.Fail(t, "the workflow ended without the event", wanted)
}

func TestStopAndStartInOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := devserver.Start(t.Context(), devserver.Config{DataDir: dir})
	require.NoError(t, err)
	c := dial(t, first.Address(), client.Options{})
	pending := run(t, c, client.StartWorkflowOptions{ID: "pending"}, greet, "again")
	_, err = devserver.Start(t.Context(), devserver.Config{DataDir: dir})
	require.ErrorIs(t, err, devserver.ErrDataDir, "two servers must not share a directory")
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "a second Stop does nothing")

	// The same ports prove that nothing listens on them any more.
	second := start(t, devserver.Config{DataDir: dir, Port: portOf(t, first.Address()), UIPort: portOf(t, first.UIURL()[len("http://"):])})
	require.Equal(t, first.Address(), second.Address())
	c = dial(t, second.Address(), client.Options{})
	work(t, c)
	require.Equal(t, "hello again", result(t, c.GetWorkflow(t.Context(), "pending", pending.GetRunID())))
}

func portOf(t *testing.T, hostport string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(hostport)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return port
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	port := portOf(t, taken.Addr().String())
	for name, tc := range map[string]struct {
		cfg  devserver.Config
		want string
	}{
		"grpc": {devserver.Config{Port: port}, "temporal port %d is already in use: choose another with --temporal-port"},
		"ui":   {devserver.Config{UIPort: port}, "temporal UI port %d is already in use: choose another with --temporal-ui-port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.cfg.DataDir = filepath.Join(t.TempDir(), "data")
			_, err := devserver.Start(t.Context(), tc.cfg)
			require.ErrorIs(t, err, devserver.ErrPortInUse)
			require.EqualError(t, err, fmt.Sprintf(tc.want, port))
			require.NoDirExists(t, tc.cfg.DataDir, "nothing was begun")
		})
	}
}

func TestDataDir(t *testing.T) {
	t.Parallel()
	cfg := func(dir string) devserver.Config {
		return devserver.Config{DataDir: dir, UIPort: devserver.NoUI}
	}
	t.Run("below a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err := devserver.Start(t.Context(), cfg(filepath.Join(file, "data")))
		require.ErrorIs(t, err, devserver.ErrDataDir)
		require.ErrorContains(t, err, "not a directory")
	})
	t.Run("used by another server", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		newChild(t, dir).do("start")
		_, err := devserver.Start(t.Context(), cfg(dir))
		require.ErrorIs(t, err, devserver.ErrDataDir)
		require.ErrorContains(t, err, "another server uses "+dir)
	})
	t.Run("of another version", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		damage(t, dir, "PRAGMA user_version = 2")
		_, err := devserver.Start(t.Context(), cfg(dir))
		require.ErrorIs(t, err, devserver.ErrDataDir)
		require.ErrorContains(t, err, "another version")
	})
	t.Run("not a database", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "temporal.db"), []byte("not a SQLite file, but longer than its header of one hundred bytes, so that it is read and not taken for a new one"), 0o600))
		_, err := devserver.Start(t.Context(), cfg(dir))
		require.ErrorIs(t, err, devserver.ErrDataDir)
	})
}

func TestStartCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := devserver.Start(ctx, devserver.Config{})
	require.ErrorIs(t, err, context.Canceled)
}

// The server gives up on unreadable data by ending its process; embedded, it
// must return from Start.
func TestServerGivesUp(t *testing.T) {
	t.Parallel()
	cfg := devserver.Config{DataDir: t.TempDir(), UIPort: devserver.NoUI}
	server, err := devserver.Start(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, server.Stop())
	damage(t, cfg.DataDir, "UPDATE namespaces SET data = x'ff' WHERE name = 'temporal-system'")
	_, err = devserver.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "start temporal: Unable to initialize namespace registry: ")
}

// damage changes the database of a data directory behind the server's back.
func damage(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "temporal.db"))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestSearchAttributes(t *testing.T) {
	t.Parallel()
	const keyword, number = enumspb.INDEXED_VALUE_TYPE_KEYWORD, enumspb.INDEXED_VALUE_TYPE_INT
	dir := t.TempDir()
	// One data directory, seen by servers of different ages of a program.
	for _, step := range []struct {
		attributes map[string]enumspb.IndexedValueType
		id         string
		set        temporal.SearchAttributes
		query      string
	}{
		{
			attributes: map[string]enumspb.IndexedValueType{"PostriderEvent": keyword, "PostriderOwner": keyword},
			id:         "first",
			set: temporal.NewSearchAttributes(
				temporal.NewSearchAttributeKeyKeyword("PostriderEvent").ValueSet("order.created"),
				temporal.NewSearchAttributeKeyKeyword("PostriderOwner").ValueSet("own_1")),
			query: `PostriderEvent = "order.created" AND PostriderOwner = "own_1"`,
		},
		{
			attributes: map[string]enumspb.IndexedValueType{"PostriderEvent": keyword, "PostriderSize": number, "PostriderWebhook": keyword},
			id:         "second",
			set: temporal.NewSearchAttributes(
				temporal.NewSearchAttributeKeyKeyword("PostriderWebhook").ValueSet("wh_1"),
				temporal.NewSearchAttributeKeyInt64("PostriderSize").ValueSet(7),
				temporal.NewSearchAttributeKeyKeyword("PostriderOwner").ValueSet("own_2")),
			query: `PostriderWebhook = "wh_1" AND PostriderSize > 6 AND PostriderOwner = "own_2"`,
		},
		{
			id:    "third",
			set:   temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("PostriderWebhook").ValueSet("wh_3")),
			query: `PostriderWebhook = "wh_3"`,
		},
	} {
		server, err := devserver.Start(t.Context(), devserver.Config{DataDir: dir, UIPort: devserver.NoUI, SearchAttributes: step.attributes})
		require.NoError(t, err)
		c := dial(t, server.Address(), client.Options{})
		run(t, c, client.StartWorkflowOptions{ID: step.id, TypedSearchAttributes: step.set}, await)
		require.Equal(t, []string{step.id}, list(t, c, step.query))
		require.NoError(t, server.Stop())
	}

	_, err := devserver.Start(t.Context(), devserver.Config{DataDir: dir, UIPort: devserver.NoUI,
		SearchAttributes: map[string]enumspb.IndexedValueType{"PostriderEvent": number}})
	require.ErrorContains(t, err, "search attribute PostriderEvent is a Keyword already, not a Int")
}

// list waits until a visibility query finds something and returns the IDs.
// Visibility follows a workflow's start by some milliseconds.
func list(t *testing.T, c client.Client, query string) []string {
	t.Helper()
	var ids []string
	require.Eventually(t, func() bool {
		answer, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err)
		for _, execution := range answer.GetExecutions() {
			ids = append(ids, execution.GetExecution().GetWorkflowId())
		}
		return len(ids) > 0
	}, patience, 20*time.Millisecond)
	return ids
}
