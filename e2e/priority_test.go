package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// TestPriorities looks at what Temporal was told: every delivery is its owner's share of a backlog, what someone
// asks for goes before the schedule, and what a recovery starts goes behind what is new.
func TestPriorities(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, nil)
	delivery := p.deliveryTo(t, newReceiver(t, failFirst(4, http.StatusInternalServerError)))
	owner := delivery.OwnerID
	run := begin(t, p.plain, delivery)
	for attempt := 1; attempt <= 4; attempt++ {
		p.awaitAttempts(t, delivery, attempt)
		require.NoError(t, p.plain.SignalWorkflow(t.Context(), delivery.ID, "", contract.SignalResend, nil))
	}
	require.NoError(t, run.Get(t.Context(), nil))
	started, attempts := p.priorities(t, delivery)
	require.Equal(t, &commonpb.Priority{FairnessKey: owner}, started)
	require.Len(t, attempts, 4)
	for n, attempt := range attempts {
		queue := contract.TaskQueue
		if n > 0 {
			queue = contract.TaskQueueSlow // it failed twice
		}
		require.Equal(t, scheduled{queue, 2}, attempt)
	}

	delivery, err := p.store.Delivery(t.Context(), models.Scope{}, delivery.ID)
	require.NoError(t, err)
	require.NoError(t, p.starter.StartRecovered(t.Context(), namespace, "rec_01m85g2jgxe2xatkthx700jqn8", []models.Delivery{delivery}))
	awaitWorkflow(t, p.plain, delivery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	started, _ = p.priorities(t, delivery)
	require.Equal(t, &commonpb.Priority{PriorityKey: 4, FairnessKey: owner}, started)
}

// scheduled is where an attempt waited for a worker, and with what priority of its own; 0 is its workflow's.
type scheduled struct {
	queue    string
	priority int32
}

// priorities reads a delivery's latest run.
func (p *inProcess) priorities(t *testing.T, delivery models.Delivery) (started *commonpb.Priority, attempts []scheduled) {
	t.Helper()
	events := historyOf(t, p.plain, delivery.ID, "").GetEvents()
	for _, event := range events {
		if attempt := event.GetActivityTaskScheduledEventAttributes(); attempt != nil {
			attempts = append(attempts, scheduled{attempt.GetTaskQueue().GetName(), attempt.GetPriority().GetPriorityKey()})
		}
	}
	return events[0].GetWorkflowExecutionStartedEventAttributes().GetPriority(), attempts
}

func (p *inProcess) awaitAttempts(t *testing.T, delivery models.Delivery, n int) {
	t.Helper()
	eventually(t, func() bool {
		made, err := p.store.Attempts(t.Context(), delivery.ID)
		require.NoError(t, err)
		return len(made) == n
	}, "%s does not have %d attempts", delivery.ID, n)
}
