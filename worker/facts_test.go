package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	schedulepb "go.temporal.io/api/schedule/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/worker"
)

// described is when the frontend's schedules ran, and its pollers polled.
var described = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (f *frontend) DescribeTaskQueue(_ context.Context, request *workflowservice.DescribeTaskQueueRequest) (*workflowservice.DescribeTaskQueueResponse, error) {
	if !request.GetReportStats() || request.GetNamespace() != client.DefaultNamespace {
		return nil, errors.New("not asked for what waits")
	}
	answer := &workflowservice.DescribeTaskQueueResponse{}
	if request.GetTaskQueue().GetName() == contract.TaskQueueSlow {
		answer.Stats = &taskqueuepb.TaskQueueStats{ApproximateBacklogCount: 7, ApproximateBacklogAge: durationpb.New(time.Minute)}
	} else {
		answer.Pollers = []*taskqueuepb.PollerInfo{{Identity: "me", LastAccessTime: timestamppb.New(described)}}
	}
	return answer, nil
}

func (f *frontend) DescribeSchedule(_ context.Context, request *workflowservice.DescribeScheduleRequest) (*workflowservice.DescribeScheduleResponse, error) {
	ran := &schedulepb.ScheduleActionResult{ActualTime: timestamppb.New(described)}
	return &workflowservice.DescribeScheduleResponse{
		Schedule: &schedulepb.Schedule{
			Spec: &schedulepb.ScheduleSpec{}, Policies: &schedulepb.SchedulePolicies{OverlapPolicy: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP},
			Action: &schedulepb.ScheduleAction{Action: &schedulepb.ScheduleAction_StartWorkflow{StartWorkflow: &workflowpb.NewWorkflowExecutionInfo{}}},
			State:  &schedulepb.ScheduleState{Paused: request.GetScheduleId() == contract.RetentionScheduleID},
		},
		Info: &schedulepb.ScheduleInfo{
			ActionCount: 12, RecentActions: []*schedulepb.ScheduleActionResult{ran}, FutureActionTimes: []*timestamppb.Timestamp{timestamppb.New(described.Add(time.Hour))},
		},
	}, nil
}

// Temporal tells of its version, of its queues with who works on them, and of the schedules.
func TestDescribe(t *testing.T) {
	t.Parallel()
	_, c := startFrontend(t)
	facts, err := worker.Describe(t.Context(), c, client.DefaultNamespace)
	require.NoError(t, err)
	pollers := []worker.Poller{{Identity: "me", LastSeen: described}}
	require.Equal(t, worker.Facts{
		ServerVersion: "1.2.3",
		Queues: []worker.QueueFacts{
			{Name: contract.TaskQueue, Kind: "workflow", Pollers: pollers},
			{Name: contract.TaskQueue, Kind: "activity", Pollers: pollers},
			{Name: contract.TaskQueueSlow, Kind: "activity", Backlog: 7, Oldest: time.Minute},
		},
		Schedules: []worker.ScheduleFacts{
			{ID: contract.SweepScheduleID, Runs: 12, Last: described, Next: described.Add(time.Hour)},
			{ID: contract.RetentionScheduleID, Paused: true, Runs: 12, Last: described, Next: described.Add(time.Hour)},
		},
	}, facts)
	_, err = worker.Describe(t.Context(), c, "another")
	require.Error(t, err)
}
