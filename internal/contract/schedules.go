package contract

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// Schedules are the Temporal Schedules that the installation keeps.
func Schedules() []client.ScheduleOptions {
	retention := schedule(RetentionScheduleID, RetentionInterval, TypeRetention)
	retention.Spec.Intervals[0].Offset = RetentionOffset
	return []client.ScheduleOptions{retention}
}

// FormerSchedules are those that older versions kept, and that this one does another way.
func FormerSchedules() []string { return []string{SweepID} }

// schedule runs a workflow again and again, but never twice at once.
func schedule(id string, every time.Duration, workflowType string, args ...any) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action:  &client.ScheduleWorkflowAction{ID: id, Workflow: workflowType, TaskQueue: TaskQueue, Args: args},
	}
}
