package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/testdb"
)

// TestDatabaseDiesDuringAttempt crashes PostgreSQL while a receiver is busy with a request. The outcome
// cannot be written and is kept by Temporal: the receiver is not called again, and the log has the attempt
// once the database is back.
func TestDatabaseDiesDuringAttempt(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	p := prepareProductionOn(t, cluster.URL())
	p.start(t)
	gate := newGate(t)
	first := newReceiver(t, gate.holding(1, always(http.StatusOK)))
	retry := newReceiver(t, gate.holding(2, failFirst(1, http.StatusInternalServerError)))
	var ids []string
	for _, target := range []*receiver{first, retry} {
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s", "1h"}})
		ids = append(ids, p.send(t, owner, object{}))
	}
	first.await(t, 1)
	retry.await(t, 2)

	require.NoError(t, cluster.Kill())
	status, answer, err := p.ask(t, http.MethodPost, "/api/events", object{"event": "order.created", "data": object{}}, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status, "%s", answer)
	require.False(t, p.ready())
	gate.open()
	for _, id := range ids {
		eventually(t, func() bool {
			return p.postrider.Stderr.Contains(`"attempt not recorded yet","delivery_id":"` + id + `"`)
		}, "nothing is said of the log of %s", id)
	}

	require.NoError(t, cluster.Start())
	temporal := p.dial(t)
	for i, triggers := range [][]string{{"schedule"}, {"schedule", "schedule"}} {
		eventually(t, p.ready, "the database is not found again")
		shown := p.await(t, ids[i], "delivered")
		require.Equal(t, triggers, shown.triggers())
		awaitWorkflow(t, temporal, ids[i], "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	}
	require.Equal(t, []string{"1"}, attempts(first.all()))
	require.Equal(t, []string{"1", "2"}, attempts(retry.all()))
}
