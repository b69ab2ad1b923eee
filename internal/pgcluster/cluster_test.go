package pgcluster_test

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/postrider/postrider/internal/pgcluster"
)

// helperVariable makes the test binary a process that starts a server and is then killed.
const helperVariable = "POSTRIDER_PGCLUSTER_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		helperProcess()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestClusterKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(*pgcluster.Cluster) error
	}{
		{"Kill", (*pgcluster.Cluster).Kill},
		{"Stop", (*pgcluster.Cluster).Stop},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cluster := newCluster(t)
			conn := connectOnce(t, cluster.URL())
			execute(t, conn, "CREATE TABLE parcel (id int PRIMARY KEY)")
			execute(t, conn, "INSERT INTO parcel VALUES (1)")

			require.NoError(t, test.end(cluster))

			require.Error(t, conn.Ping(t.Context()))
			_, err := pgx.Connect(t.Context(), cluster.URL())
			require.Error(t, err)
			require.NoError(t, test.end(cluster), "an ended server ends again without complaint")

			require.NoError(t, cluster.Start())

			conn = connectOnce(t, cluster.URL())
			require.Equal(t, 1, count(t, conn, "SELECT count(*) FROM parcel"))
			require.NoError(t, cluster.Start(), "a running server starts again without complaint")
			require.NoError(t, conn.Ping(t.Context()), "and keeps its connections")
		})
	}
}

func TestClusterWithOptions(t *testing.T) {
	t.Parallel()
	cluster, err := pgcluster.Start(pgcluster.Options{Settings: []string{"fsync=on", "work_mem=7MB", "work_mem=8MB"}, OnDisk: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Close()) })
	conn := connectOnce(t, cluster.URL())
	for name, want := range map[string]string{"fsync": "on", "work_mem": "8MB", "autovacuum": "off"} {
		var got string
		require.NoError(t, conn.QueryRow(t.Context(), "SHOW "+name).Scan(&got))
		require.Equal(t, want, got, name)
	}
	var folder string
	require.NoError(t, conn.QueryRow(t.Context(), "SHOW data_directory").Scan(&folder))
	require.NotContains(t, folder, "/dev/shm/")
	pid := cluster.PID()
	require.Positive(t, pid)
	require.NoError(t, cluster.Stop())
	require.Zero(t, cluster.PID())
}

// A statement that runs while the server is killed must not be finished by a process that outlived it.
func TestKillEndsRunningStatements(t *testing.T) {
	t.Parallel()
	cluster := newCluster(t)
	busy := connectOnce(t, cluster.URL())
	pid := count(t, busy, "SELECT pg_backend_pid()")
	failed := make(chan error)
	go func() {
		_, err := busy.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(3600)")
		failed <- err
	}()
	watcher := connectOnce(t, cluster.URL())
	active := fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'PgSleep'", pid)
	eventually(t, func() bool { return count(t, watcher, active) == 1 })

	require.NoError(t, cluster.Kill())

	require.Error(t, <-failed)
	require.NoError(t, cluster.Start())
}

func TestClusterEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	binary, err := os.Executable()
	require.NoError(t, err)
	helper := exec.CommandContext(t.Context(), binary)
	helper.Env = append(os.Environ(), helperVariable+"=1")
	helper.Stderr = os.Stderr
	stdin, err := helper.StdinPipe() // keeps the helper waiting
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := helper.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, helper.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	server, err := url.Parse(strings.TrimSpace(line))
	require.NoError(t, err)
	folder := server.Query().Get("host")
	require.DirExists(t, folder)
	require.NoError(t, connectOnce(t, server.String()).Ping(t.Context()))

	require.NoError(t, helper.Process.Kill())
	require.Error(t, helper.Wait())

	eventually(t, func() bool {
		_, err := os.Stat(folder)
		return os.IsNotExist(err)
	})
	_, err = pgx.Connect(t.Context(), server.String())
	require.Error(t, err)
}

// helperProcess starts a server, tells its URL, and waits to be killed.
func helperProcess() {
	cluster, err := pgcluster.Start(pgcluster.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(1)
	}
	fmt.Println(cluster.URL()) //nolint:forbidigo // the test reads it
	_, _ = os.Stdin.Read(make([]byte, 1))
	_ = cluster.Close()
}

// newCluster starts a server that is closed when the test ends.
func newCluster(t *testing.T) *pgcluster.Cluster {
	t.Helper()
	cluster, err := pgcluster.Start(pgcluster.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Close()) })
	return cluster
}

// connectOnce returns a connection that may break before the test ends.
func connectOnce(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 20*time.Millisecond)
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
