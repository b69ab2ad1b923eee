package e2e

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
)

// TestSweepOfAnOlderVersion finds the schedule with which an older version kept the sweep: the next process deletes it, and
// keeps the one workflow that goes on for ever.
func TestSweepOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	p := prepareProduction(t)
	p.start(t)
	temporal := p.dial(t)
	former, err := temporal.ScheduleClient().Create(t.Context(), client.ScheduleOptions{
		ID:     contract.SweepID,
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}},
		Action: &client.ScheduleWorkflowAction{ID: contract.SweepID, Workflow: contract.TypeSweep, TaskQueue: contract.TaskQueue, Args: []any{contract.SweepInput{MinAge: contract.SweepAge}}},
	})
	require.NoError(t, err)
	require.NoError(t, former.Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	eventually(t, func() bool {
		return len(find(t, temporal, "WorkflowId STARTS_WITH '"+contract.SweepID+"-' AND ExecutionStatus='Completed'")) == 1
	}, "a sweep of the older version does not end")

	p.killPostrider()
	p.start(t)
	eventually(t, func() bool {
		_, err := former.Describe(t.Context())
		var gone *serviceerror.NotFound
		return errors.As(err, &gone)
	}, "the schedule is still there")
	require.Len(t, find(t, temporal, "WorkflowId='"+contract.SweepID+"' AND ExecutionStatus='Running'"), 1)
}
