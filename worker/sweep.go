package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/postrider/postrider/internal/contract"
)

// SweepNow starts every delivery and inbound event that is still pending: what the process before this one left behind.
func SweepNow(ctx context.Context, temporalClient client.Client) error {
	_, err := temporalClient.ExecuteWorkflow(ctx, contract.StartSweepOptions(), contract.TypeSweep, contract.SweepInput{})
	if err != nil {
		return fmt.Errorf("start sweep: %w", err)
	}
	return nil
}

// keepInterval is how often a worker looks whether the sweep goes on.
const keepInterval = 30 * time.Second

// KeepSweep starts the sweep, and again where somebody has ended it, until the context ends.
func KeepSweep(ctx context.Context, temporalClient client.Client, logger *slog.Logger) {
	ticker := time.NewTicker(keepInterval)
	defer ticker.Stop()
	for {
		if err := ensureSweep(ctx, temporalClient); err != nil && ctx.Err() == nil {
			logger.WarnContext(ctx, "the sweep cannot be started", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ensureSweep starts the sweep unless it goes on.
func ensureSweep(ctx context.Context, temporalClient client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, keepInterval/2)
	defer cancel()
	in := contract.SweepInput{Every: contract.SweepInterval, MinAge: contract.SweepAge}
	_, err := temporalClient.ExecuteWorkflow(ctx, contract.SweepOptions(), contract.TypeSweep, in)
	return err
}

// sweptWithin is how old the sweep's last event may be: it may have to wait for a worker, after one has died for one.
const sweptWithin = 6 * contract.SweepInterval

// sweepState is how the sweep does.
type sweepState struct {
	running, paused bool
	// last is when it did something.
	last time.Time
}

// The errors of askForSweep.
var (
	errNoSweep        = errors.New("Temporal does not know of its workflow, or does not answer") //nolint:staticcheck // a name
	errNoSweepHistory = errors.New("Temporal does not tell its history")                         //nolint:staticcheck // a name
)

// askForSweep asks Temporal how the sweep does.
func askForSweep(ctx context.Context, temporalClient client.Client, namespace string) (sweepState, error) {
	description, err := temporalClient.DescribeWorkflowExecution(ctx, contract.SweepID, "")
	if err != nil {
		return sweepState{}, errNoSweep
	}
	info := description.GetWorkflowExecutionInfo()
	state := sweepState{running: info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, last: info.GetStartTime().AsTime()}
	_ = converter.GetDefaultDataConverter().FromPayload(info.GetMemo().GetFields()[contract.MemoPaused], &state.paused) // left out: it never was
	newest, err := temporalClient.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: namespace, MaximumPageSize: 1,
		Execution: &commonpb.WorkflowExecution{WorkflowId: contract.SweepID, RunId: info.GetExecution().GetRunId()},
	})
	if err != nil {
		return state, errNoSweepHistory
	}
	for _, event := range newest.GetHistory().GetEvents() {
		state.last = event.GetEventTime().AsTime()
	}
	return state, nil
}

// CheckSweep returns nil when the sweep comes by as often as it should. One that has more to start than it can in time is
// late, so this finds a backlog too.
func CheckSweep(ctx context.Context, temporalClient client.Client, namespace string, now time.Time) error {
	state, err := askForSweep(ctx, temporalClient, namespace)
	switch {
	case err != nil:
		return err
	case !state.running:
		return errors.New("its workflow " + contract.SweepID + " has ended; workers start it again")
	case state.paused:
		return errors.New("its workflow " + contract.SweepID + " is paused; the signal resume lets it go on")
	}
	if behind := now.Sub(state.last); behind > sweptWithin {
		return fmt.Errorf("it came by %s ago instead of every %s", behind.Round(time.Second), contract.SweepInterval)
	}
	return nil
}
