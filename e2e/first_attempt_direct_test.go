package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// directly has the process that publishes an event make the first attempts.
const directly = "POSTRIDER_FIRST_ATTEMPT=direct"

// TestDirect shows that without a workflow from the start everything is as before, and that Temporal's Web UI
// shows what needed durability.
func TestDirect(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		temporal := p.dial(t)

		fine, id := p.begin(t, always(http.StatusOK))
		shown := p.await(t, id, "delivered")
		require.Equal(t, []string{"schedule"}, shown.triggers())
		require.Nil(t, shown.Workflow.RunID)
		_, err := temporal.DescribeWorkflow(t.Context(), id, "")
		var notFound *serviceerror.NotFound
		require.ErrorAs(t, err, &notFound, "no workflow was needed")

		// A resend begins one.
		p.resend(t, id)
		fine.await(t, 2)
		eventually(t, func() bool { return len(p.delivery(t, id).Attempts) == 2 }, "the resend is not recorded")
		require.Equal(t, []string{"schedule", "resend"}, p.delivery(t, id).triggers())
		require.Equal(t, []string{"1", "2"}, attempts(fine.all()))

		// What fails goes on by the schedule.
		flaky, id := p.begin(t, failFirst(2, http.StatusInternalServerError), "1s", "1s")
		shown = p.await(t, id, "delivered")
		require.Equal(t, []string{"schedule", "schedule", "schedule"}, shown.triggers())
		require.NotNil(t, shown.Workflow.RunID)
		require.Equal(t, []string{"1", "2", "3"}, attempts(flaky.all()))
		requireSameDelivery(t, id, flaky.all())

		// What fails for ever ends as Temporal's Web UI can find it.
		_, id = p.begin(t, always(http.StatusGone))
		p.await(t, id, "permanently_failed")
		requireExhausted(t, temporal, id)

		// A cancellation while the request is under way counts unless it succeeds.
		held := newGate(t)
		waiting, id := p.begin(t, held.holding(1, failFirst(1, http.StatusInternalServerError)))
		waiting.await(t, 1)
		p.call(t, "POST", "/api/deliveries/"+id+"/cancel", nil, http.StatusAccepted, nil)
		p.await(t, id, "cancelled")
		held.open()
		eventually(t, func() bool { return len(p.delivery(t, id).Attempts) == 1 }, "the attempt is not recorded")
		require.Equal(t, "cancelled", p.delivery(t, id).Status)
		p.settled(t)
		require.Equal(t, 1, waiting.count())

		// What is to be delivered later waits in Temporal, as ever.
		deliverLater(t, p)
	}, directly)
}

// TestDirectKilled kills everything while first attempts are made without workflows, and when one has failed
// whose workflow could not be started: nothing is lost, and only what was being sent is sent a second time.
func TestDirectKilled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		done, doneID := p.begin(t, always(http.StatusOK))
		p.await(t, doneID, "delivered")
		closed := newGate(t)
		held, heldID := p.begin(t, closed.holding(1, always(http.StatusOK)))
		held.await(t, 1)
		var failed *receiver
		var failedID string
		if p.temporal != nil {
			p.killTemporal()
			failed, failedID = p.begin(t, failFirst(1, http.StatusInternalServerError), "1s")
			p.await(t, failedID, "failed")
			require.Nil(t, p.delivery(t, failedID).Workflow.RunID)
		}

		p.killPostrider()
		p.killTemporal()
		p.start(t)

		p.await(t, heldID, "delivered")
		require.Equal(t, []string{"1", "1"}, attempts(held.all()))
		if failed != nil {
			p.await(t, failedID, "delivered")
			require.Equal(t, []string{"1", "2"}, attempts(failed.all()))
			require.NotNil(t, p.delivery(t, failedID).Workflow.RunID)
		}
		p.settled(t)
		require.Equal(t, 1, done.count())
	}, directly)
}

// begin publishes an event to one webhook, of an owner of its own.
func (p *installation) begin(t *testing.T, script script, schedule ...string) (*receiver, string) {
	t.Helper()
	target := newReceiver(t, script)
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, object{"retry_schedule": schedule})
	return target, p.send(t, owner, object{"test": t.Name()})
}

func requireExhausted(t *testing.T, temporal client.Client, id string) {
	t.Helper()
	eventually(t, func() bool {
		description, err := temporal.DescribeWorkflow(t.Context(), id, "")
		return err == nil && description.Status.String() == "Failed"
	}, "the workflow does not end as failed")
}
