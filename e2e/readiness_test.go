package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/worker"
)

// checks asks /readyz, or one of its checks, and returns the status with what each check says.
func (p *installation) checks(t *testing.T, path string) (int, map[string]string) {
	t.Helper()
	response, err := httpClient.Get(p.url + path)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	var body struct {
		Status string
		Checks map[string]string
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	want := map[int]string{http.StatusOK: "ok", http.StatusServiceUnavailable: "unavailable"}
	require.Equal(t, want[response.StatusCode], body.Status)
	return response.StatusCode, body.Checks
}

// TestReadinessTellsTheTruth takes away one thing after the other that deliveries need. /healthz does not
// mind, and a balancer that asks for the database alone goes on sending events while only Temporal is away.
func TestReadinessTellsTheTruth(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	p := prepareProductionOn(t, cluster.URL())
	p.start(t)
	says := func(check, what string) {
		t.Helper()
		eventually(t, func() bool {
			_, checks := p.checks(t, "/readyz")
			return checks[check] == what
		}, "%s does not become %q", check, what)
	}
	status, checks := p.checks(t, "/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]string{"database": "ok", "temporal": "ok", "sweep": "ok", "worker": "ok"}, checks)

	temporal := p.dial(t)
	require.NoError(t, temporal.SignalWorkflow(t.Context(), contract.SweepID, "", contract.SignalPause, nil))
	says("sweep", "its workflow postrider-sweep is paused; the signal resume lets it go on")
	require.NoError(t, temporal.SignalWorkflow(t.Context(), contract.SweepID, "", contract.SignalResume, nil))
	says("sweep", "ok")
	// Who ends it has it again.
	require.NoError(t, temporal.TerminateWorkflow(t.Context(), contract.SweepID, "", "a test"))
	says("sweep", "its workflow postrider-sweep has ended; workers start it again")
	says("sweep", "ok")

	p.killTemporal()
	says("temporal", "does not answer")
	says("worker", "Temporal does not say who polls")
	status, _ = p.checks(t, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	status, checks = p.checks(t, "/readyz/database")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]string{"database": "ok"}, checks)
	p.start(t)

	require.NoError(t, cluster.Kill())
	says("database", "does not answer")
	require.NoError(t, cluster.Start())
	eventually(t, p.ready, "it is not ready again")

	response, err := httpClient.Get(p.url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// TestReadinessAsTimePasses looks at a running installation from two minutes later: a sweep that has not come since, and
// a worker that has not asked for work since, are noticed.
func TestReadinessAsTimePasses(t *testing.T) {
	t.Parallel()
	p := prepareProduction(t)
	p.start(t)
	temporal := p.dial(t)
	queue, err := temporal.DescribeTaskQueue(t.Context(), contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	require.NoError(t, err)
	require.NotEmpty(t, queue.GetPollers())
	polling := queue.GetPollers()[0].GetIdentity()
	now := time.Now()
	later := now.Add(2 * time.Minute)

	check := func(at time.Time) error { return worker.CheckSweep(t.Context(), temporal, client.DefaultNamespace, at) }
	require.NoError(t, check(now))
	require.ErrorContains(t, check(later), "instead of every 10s")
	require.NoError(t, worker.CheckPolling(t.Context(), temporal, polling, now))
	require.EqualError(t, worker.CheckPolling(t.Context(), temporal, polling, later), "does not poll")
	require.EqualError(t, worker.CheckPolling(t.Context(), temporal, "another process", now), "does not poll")
	require.ErrorContains(t, worker.CheckSweep(t.Context(), temporal, "another", now), "does not tell its history")
}

// TestTemporalHangs stops Temporal's process without ending it: connections stay open and nothing answers.
func TestTemporalHangs(t *testing.T) {
	t.Parallel()
	p := prepareProduction(t)
	p.start(t)
	require.NoError(t, p.temporal.Pause())
	var checks map[string]string
	eventually(t, func() bool { // each result stands for a second of its own: the sweep's may end before Temporal's
		var status int
		status, checks = p.checks(t, "/readyz")
		return status == http.StatusServiceUnavailable && checks["temporal"] != "ok"
	}, "it is ready without Temporal")
	require.NoError(t, p.temporal.Resume())
	require.Equal(t, "ok", checks["database"])
	require.Equal(t, "does not answer", checks["temporal"])
	eventually(t, p.ready, "it is not ready again")
}
