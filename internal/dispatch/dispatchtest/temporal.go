package dispatchtest

import (
	"context"
	"errors"
	"sync"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/dispatch/start"
)

// ErrAway is what a Temporal says that is not there.
var ErrAway = serviceerror.NewUnavailable("connection refused")

// Started is one call of ExecuteWorkflow or SignalWithStartWorkflow.
type Started struct {
	Options  client.StartWorkflowOptions
	Workflow string
	Input    any
	Signal   string
	Argument any
}

// Signalled is one call of SignalWorkflow.
type Signalled struct {
	ID, Run, Name string
	Argument      any
}

// Run is a workflow whose end is what OnGet returns; without a function it has ended well.
type Run struct {
	client.WorkflowRun
	OnGet func(ctx context.Context) error
}

// Get waits for the end of the workflow.
func (r Run) Get(ctx context.Context, _ any) error {
	if r.OnGet == nil {
		return nil
	}
	return r.OnGet(ctx)
}

// Temporal takes the place of Temporal's client: it keeps what is asked of it. What a test does not expect to be
// called is nil and panics.
type Temporal struct {
	client.Client
	// OnStart decides what becomes of a start; nil lets each succeed.
	OnStart func(ctx context.Context, workflowID string) error
	// Run is what ExecuteWorkflow returns: unless a test sets it, one that has ended.
	Run Run
	// Latest is what DescribeWorkflowExecution tells; nil for a run that goes on until a cancellation does not find it.
	Latest func() start.Run
	// CancelErr is the answer to CancelWorkflow, SignalErr are those to SignalWorkflow, by workflow.
	CancelErr error
	SignalErr map[string]error
	// Service, unless nil, is the API below the client.
	Service workflowservice.WorkflowServiceClient

	mu sync.Mutex
	// Started, Cancelled and Signals are what was asked for; Cancelled has the IDs of workflow and run.
	Started   []Started
	Cancelled []string
	Signals   []Signalled
}

// WorkflowService returns Service.
func (f *Temporal) WorkflowService() workflowservice.WorkflowServiceClient { return f.Service }

// DescribeWorkflowExecution tells Latest.
func (f *Temporal) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var gone *serviceerror.NotFound
	run := start.Run{Running: len(f.Cancelled) == 0 || !errors.As(f.CancelErr, &gone)}
	if f.Latest != nil {
		run = f.Latest()
	}
	status := enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	if run.Running {
		status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: status, Execution: &commonpb.WorkflowExecution{RunId: run.ID}},
		WorkflowExtendedInfo:  &workflowpb.WorkflowExecutionExtendedInfo{CancelRequested: run.Cancelled},
	}, nil
}

// ExecuteWorkflow keeps the call in Started.
func (f *Temporal) ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	return f.Run, f.start(ctx, Started{Options: options, Workflow: workflow.(string), Input: args[0]})
}

// SignalWithStartWorkflow keeps the call in Started.
func (f *Temporal) SignalWithStartWorkflow(ctx context.Context, workflowID, signal string, argument any,
	options client.StartWorkflowOptions, workflow any, args ...any,
) (client.WorkflowRun, error) {
	options.ID = workflowID
	return f.Run, f.start(ctx, Started{
		Options: options, Workflow: workflow.(string), Input: args[0], Signal: signal, Argument: argument,
	})
}

func (f *Temporal) start(ctx context.Context, call Started) error {
	if f.OnStart != nil {
		if err := f.OnStart(ctx, call.Options.ID); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Started = append(f.Started, call)
	return nil
}

// SignalWorkflow keeps the call in Signals.
func (f *Temporal) SignalWorkflow(_ context.Context, workflowID, runID, signal string, argument any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Signals = append(f.Signals, Signalled{workflowID, runID, signal, argument})
	return f.SignalErr[workflowID]
}

// CancelWorkflow keeps the call in Cancelled.
func (f *Temporal) CancelWorkflow(_ context.Context, workflowID, runID string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Cancelled = append(f.Cancelled, workflowID+runID)
	return f.CancelErr
}

// IDs are the workflow IDs of what was started.
func (f *Temporal) IDs() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make([]string, len(f.Started))
	for i, call := range f.Started {
		ids[i] = call.Options.ID
	}
	return ids
}
