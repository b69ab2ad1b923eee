package devserver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/postrider/postrider/internal/devserver"
	"github.com/postrider/postrider/internal/temporaltest"
)

func TestEagerStart(t *testing.T) {
	t.Parallel()
	server := start(t, devserver.Config{UIPort: devserver.NoUI})
	c := dial(t, server.Address(), client.Options{})
	work(t, c)
	eager := run(t, c, client.StartWorkflowOptions{EnableEagerStart: true}, greet, "eager")
	require.Equal(t, "hello eager", result(t, eager))

	history := c.GetWorkflowHistory(t.Context(), eager.GetID(), eager.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	require.True(t, history.HasNext())
	started, err := history.Next()
	require.NoError(t, err)
	require.True(t, started.GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted())
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	server := start(t, devserver.Config{DataDir: t.TempDir(), UIPort: devserver.NoUI})
	c := dial(t, server.Address(), client.Options{})
	work(t, c)
	schedule, err := c.ScheduleClient().Create(t.Context(), client.ScheduleOptions{
		ID:                 "sweep",
		Spec:               client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}},
		Action:             &client.ScheduleWorkflowAction{ID: "sweep", TaskQueue: queue, Workflow: greet, Args: []any{"schedule"}},
		TriggerImmediately: true,
	})
	require.NoError(t, err)

	var begun client.ScheduleActionResult
	require.Eventually(t, func() bool {
		description, err := schedule.Describe(t.Context())
		require.NoError(t, err)
		if len(description.Info.RecentActions) == 0 {
			return false
		}
		begun = description.Info.RecentActions[0]
		return true
	}, patience, 50*time.Millisecond)
	started := begun.StartWorkflowResult
	require.Equal(t, "hello schedule", result(t, c.GetWorkflow(t.Context(), started.WorkflowID, started.FirstExecutionRunID)))
}

func TestTimeSkipping(t *testing.T) {
	t.Parallel()
	server := start(t, devserver.Config{
		UIPort:        devserver.NoUI,
		DynamicConfig: map[string]any{"frontend.WorkflowTimeSkippingEnabled": true},
	})
	c := dial(t, server.Address(), client.Options{ConnectionOptions: client.ConnectionOptions{
		DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(temporaltest.TimeSkipping())},
	}})
	work(t, c)
	for name, begin := range map[string]func() (client.WorkflowRun, error){
		"start": func() (client.WorkflowRun, error) {
			return c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, nap, 24*time.Hour)
		},
		"signal with start": func() (client.WorkflowRun, error) {
			return c.SignalWithStartWorkflow(t.Context(), "signalled", "go", nil, client.StartWorkflowOptions{TaskQueue: queue}, nap, 24*time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, err := begin()
			require.NoError(t, err)
			require.Equal(t, "slept", result(t, run))
			description, err := c.DescribeWorkflow(t.Context(), run.GetID(), run.GetRunID())
			require.NoError(t, err)
			require.GreaterOrEqual(t, description.WorkflowCloseTime.Sub(description.WorkflowStartTime), 24*time.Hour, "the workflow's own clock")
		})
	}

	t.Run("off", func(t *testing.T) {
		t.Parallel()
		plain := start(t, devserver.Config{UIPort: devserver.NoUI})
		c := dial(t, plain.Address(), client.Options{ConnectionOptions: client.ConnectionOptions{
			DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(temporaltest.TimeSkipping())},
		}})
		_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, nap, time.Hour)
		require.ErrorContains(t, err, "not enabled")
	})
}
