package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// TestDirectResendThroughAnotherProcess asks for a resend while one process makes the first attempt: through another
// process, and by speaking to Temporal alone. The resend is made behind that attempt, as number 2.
func TestDirectResendThroughAnotherProcess(t *testing.T) {
	t.Parallel()
	fleet := newFleet(t, 2, directly)
	temporal := fleet[0].dial(t)
	for name, resend := range map[string]func(id string){
		"another process": func(id string) { fleet[1].resend(t, id) },
		"Temporal alone": func(id string) {
			_, err := temporal.SignalWithStartWorkflow(t.Context(), id, "resend", nil,
				client.StartWorkflowOptions{TaskQueue: "deliveries"}, "Delivery", map[string]string{"delivery_id": id})
			require.NoError(t, err)
		},
	} {
		held := newGate(t)
		target, id := fleet[0].begin(t, held.holding(1, always(http.StatusOK)))
		target.await(t, 1)
		resend(id)
		eventually(t, func() bool {
			return target.count() > 1 || slices.Contains(typesOf(historyOf(t, temporal, id, "")), "TimerStarted")
		}, "the resend neither waits nor is made")
		require.Equal(t, 1, target.count(), name)
		held.open()
		requests := target.await(t, 2)
		require.Equal(t, []string{"1", "2"}, attempts(requests), name)
		requireSameDelivery(t, id, requests)
		eventually(t, func() bool { return fleet[0].delivery(t, id).AttemptCount == 2 }, "the resend is not recorded")
		require.Equal(t, []string{"schedule", "resend"}, fleet[0].delivery(t, id).triggers(), name)
	}
}
