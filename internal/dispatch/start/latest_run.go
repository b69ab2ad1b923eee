package start

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
)

// Run is what Temporal knows of a workflow's latest run.
type Run struct {
	ID string
	// Running says that it has not ended, Cancelled that its cancellation was asked for.
	Running, Cancelled bool
}

// LatestRun asks Temporal for a workflow's latest run. One that never ran is the zero value.
func (s *Starter) LatestRun(ctx context.Context, workflowID string) (Run, error) {
	description, err := s.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if notRunning(err) {
		return Run{}, nil
	}
	if err != nil {
		return Run{}, Unavailable(err)
	}
	info := description.GetWorkflowExecutionInfo()
	return Run{
		ID:        info.GetExecution().GetRunId(),
		Running:   info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		Cancelled: description.GetWorkflowExtendedInfo().GetCancelRequested(),
	}, nil
}

// notRunning says that Temporal has no run, or none that has not ended.
func notRunning(err error) bool {
	var notFound *serviceerror.NotFound
	return errors.As(err, &notFound)
}
