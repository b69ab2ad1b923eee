package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/models"
)

// later publishes an event that is to be delivered after a delay, to the only webhook of its owner, and returns the delivery.
func later(t *testing.T, p *installation, owner, delay string) delivery {
	t.Helper()
	var published event
	p.call(t, http.MethodPost, "/api/events", object{"event": "order.created", "owner_id": owner, "data": 1, "delay": delay},
		http.StatusAccepted, &published)
	return p.deliveriesOf(t, published.ID)[0]
}

// requireNotBefore says that the only attempt of a delivery was not made before its event was due.
func requireNotBefore(t *testing.T, p *installation, id string) {
	t.Helper()
	store := p.store(t)
	job, err := store.Job(t.Context(), id, "")
	require.NoError(t, err)
	attempts, err := store.Attempts(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, attempts, 1)
	require.Equal(t, models.TriggerSchedule, attempts[0].Trigger)
	require.False(t, attempts[0].StartedAt.Before(*job.Event.DeliverAt), "%s is before %s", attempts[0].StartedAt, *job.Event.DeliverAt)
}

// deliverLater has events delivered when their time comes, now on request, or not at all.
func deliverLater(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, nil)
	temporal := p.dial(t)
	due, far, cancelled := later(t, p, owner, "3s"), later(t, p, owner, "30d"), later(t, p, owner, "30d")
	for _, id := range []string{far.ID, cancelled.ID} {
		awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
		shown := p.delivery(t, id)
		require.Equal(t, "pending", shown.Status)
		require.Greater(t, time.Until(*shown.NextAttemptAt), 29*24*time.Hour)
		require.Len(t, historyOf(t, temporal, id, "").GetEvents(), 1, "nothing is done for it")
	}
	p.await(t, due.ID, "delivered")
	requireNotBefore(t, p, due.ID)
	require.Equal(t, 1, target.count())

	p.resend(t, far.ID)
	shown := p.await(t, far.ID, "delivered")
	require.Equal(t, []string{"resend"}, shown.triggers())
	awaitWorkflow(t, temporal, far.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)

	p.call(t, http.MethodPost, "/api/deliveries/"+cancelled.ID+"/cancel", nil, http.StatusAccepted, nil)
	p.await(t, cancelled.ID, "cancelled")
	awaitWorkflow(t, temporal, cancelled.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	require.Equal(t, 2, target.count())
}

// TestLaterKilled kills everything while events wait for their time, one of them before its workflow is started: both
// arrive when their time comes.
func TestLaterKilled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, nil)
		started := later(t, p, owner, "30s")
		awaitWorkflow(t, p.dial(t), started.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
		var unstarted string
		if p.temporal != nil {
			p.killTemporal()
			unstarted = later(t, p, owner, "20s").ID
			p.killPostrider()
		} else {
			// Temporal dies with the process. What the process would have committed last is committed for it.
			p.killPostrider()
			delay := 20 * time.Second
			published, err := p.store(t).Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`1`), OwnerID: owner, Delay: &delay})
			require.NoError(t, err)
			unstarted = published.Deliveries[0].ID
		}
		p.start(t)
		awaitWorkflow(t, p.dial(t), unstarted, "", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
		require.Zero(t, target.count())
		for _, id := range []string{started.ID, unstarted} {
			p.await(t, id, "delivered")
			requireNotBefore(t, p, id)
		}
	})
}
