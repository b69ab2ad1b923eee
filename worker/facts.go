package worker

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
)

// Facts are what an operator wants to know of Temporal.
type Facts struct {
	ServerVersion string
	Queues        []QueueFacts
	Schedules     []ScheduleFacts
}

// QueueFacts are those of a task queue.
type QueueFacts struct {
	Name string
	// Kind is workflow or activity.
	Kind    string
	Pollers []Poller
	// Backlog is about how many tasks wait, and Oldest for how long the first of them does.
	Backlog int64
	Oldest  time.Duration
}

// Poller is a process that asks for tasks.
type Poller struct {
	Identity string
	LastSeen time.Time
}

// ScheduleFacts are those of a schedule, or of the sweep. Last and Next are zero when there is none.
type ScheduleFacts struct {
	ID         string
	Paused     bool
	Runs       int
	Last, Next time.Time
	// Running says that a run of it is under way.
	Running bool
}

// queues are the task queues that a worker asks.
var queues = []struct {
	name string
	kind enumspb.TaskQueueType
}{
	{contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW},
	{contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	{contract.TaskQueueSlow, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
}

// Describe asks Temporal for what an operator wants to know of it.
func Describe(ctx context.Context, temporal client.Client, namespace string) (Facts, error) {
	var facts Facts
	system, err := temporal.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return facts, fmt.Errorf("ask Temporal for its version: %w", err)
	}
	facts.ServerVersion = system.GetServerVersion()
	for _, queue := range queues {
		found, err := temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: queue.name}, TaskQueueType: queue.kind, ReportStats: true,
		})
		if err != nil {
			return facts, fmt.Errorf("ask Temporal for task queue %s: %w", queue.name, err)
		}
		of := QueueFacts{
			Name: queue.name, Kind: "activity", Backlog: found.GetStats().GetApproximateBacklogCount(),
			Oldest: found.GetStats().GetApproximateBacklogAge().AsDuration(),
		}
		if queue.kind == enumspb.TASK_QUEUE_TYPE_WORKFLOW {
			of.Kind = "workflow"
		}
		for _, poller := range found.GetPollers() {
			of.Pollers = append(of.Pollers, Poller{poller.GetIdentity(), poller.GetLastAccessTime().AsTime()})
		}
		facts.Queues = append(facts.Queues, of)
	}
	sweep, err := askForSweep(ctx, temporal, namespace)
	if err != nil {
		return facts, fmt.Errorf("ask Temporal for the sweep: %w", err)
	}
	facts.Schedules = []ScheduleFacts{{ID: contract.SweepID, Paused: sweep.paused, Last: sweep.last, Running: sweep.running}}
	for _, of := range contract.Schedules() {
		id := of.ID
		found, err := temporal.ScheduleClient().GetHandle(ctx, id).Describe(ctx)
		if err != nil {
			return facts, fmt.Errorf("ask Temporal for schedule %s: %w", id, err)
		}
		of := ScheduleFacts{ID: id, Paused: found.Schedule.State.Paused, Runs: found.Info.NumActions, Running: len(found.Info.RunningWorkflows) > 0}
		for _, action := range found.Info.RecentActions {
			if action.ActualTime.After(of.Last) {
				of.Last = action.ActualTime
			}
		}
		if len(found.Info.NextActionTimes) > 0 {
			of.Next = found.Info.NextActionTimes[0]
		}
		facts.Schedules = append(facts.Schedules, of)
	}
	return facts, nil
}
