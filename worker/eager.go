package worker

import (
	"context"
	"sync"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
)

// EagerStarts belongs to the Temporal client of a process with a Worker, as one of its interceptors. It allows
// eager starts, whose answer brings the workflow's first task for that worker, until the worker stops. A worker
// drops the task of an answer that arrives behind its end: Temporal gives it to another one only after the task's
// time limit of 10 seconds.
type EagerStarts struct {
	interceptor.ClientInterceptorBase

	mu sync.Mutex
	// ended says that no more eager starts begin; underWay are those that are not answered yet.
	ended    bool
	underWay sync.WaitGroup
}

// InterceptClient sees every start of a workflow.
func (e *EagerStarts) InterceptClient(next interceptor.ClientOutboundInterceptor) interceptor.ClientOutboundInterceptor {
	return &eagerStart{ClientOutboundInterceptorBase: interceptor.ClientOutboundInterceptorBase{Next: next}, starts: e}
}

// end returns when every eager start is answered. Later ones are plain starts.
func (e *EagerStarts) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.underWay.Wait()
}

func (e *EagerStarts) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return false
	}
	e.underWay.Add(1)
	return true
}

type eagerStart struct {
	interceptor.ClientOutboundInterceptorBase
	starts *EagerStarts
}

// ExecuteWorkflow starts a workflow, eagerly where that is asked for and the worker does not stop.
func (s *eagerStart) ExecuteWorkflow(ctx context.Context, in *interceptor.ClientExecuteWorkflowInput) (client.WorkflowRun, error) {
	if !in.Options.EnableEagerStart {
		return s.Next.ExecuteWorkflow(ctx, in)
	}
	if !s.starts.begin() {
		plain := *in.Options
		plain.EnableEagerStart = false
		return s.Next.ExecuteWorkflow(ctx, &interceptor.ClientExecuteWorkflowInput{
			Options: &plain, WorkflowType: in.WorkflowType, Args: in.Args,
		})
	}
	defer s.starts.underWay.Done()
	return s.Next.ExecuteWorkflow(ctx, in)
}
