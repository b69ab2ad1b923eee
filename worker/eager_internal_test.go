package worker

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/devserver"
)

// patience is how long a test waits for something that must happen.
const patience = 30 * time.Second

// TestEagerStartWhileStopping stops a worker while the answer to an eager start, with the workflow's first task in
// it, is still on its way. The worker that stops does the task: nobody else could before its time limit.
func TestEagerStartWhileStopping(t *testing.T) {
	t.Parallel()
	server, err := devserver.Start(t.Context(), devserver.Config{
		UIPort: devserver.NoUI, SearchAttributes: contract.SearchAttributes(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	held := &heldStart{answered: make(chan struct{}), release: make(chan struct{})}
	eager := &EagerStarts{}
	c := dial(t, server.Address(), eager, grpc.WithChainUnaryInterceptor(held.intercept))
	w := New(c, eager, &activities.Activities{}, nil)
	require.NoError(t, w.Start())

	started := make(chan error, 1)
	go func() { started <- startRefused(t.Context(), c) }()
	await(t, held.answered)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.Stop()
	}()
	require.Eventually(t, func() bool { return isClosed(stopped) || !eager.allowed() }, patience, time.Millisecond)
	close(held.release)
	require.NoError(t, <-started)
	await(t, stopped)

	require.True(t, held.eager, "the answer brought the first task")
	description, err := c.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, description.GetWorkflowExecutionInfo().GetStatus(),
		"the first task was lost")
}

// TestNoEagerStartBehindStop starts a workflow while its process stops: the first task is for another process.
func TestNoEagerStartBehindStop(t *testing.T) {
	t.Parallel()
	eager := &EagerStarts{}
	last := &lastStart{}
	outbound := eager.InterceptClient(last)
	options := client.StartWorkflowOptions{ID: workflowID, EnableEagerStart: true}
	in := &interceptor.ClientExecuteWorkflowInput{Options: &options}
	_, err := outbound.ExecuteWorkflow(t.Context(), in)
	require.NoError(t, err)
	require.True(t, last.options.EnableEagerStart)

	eager.end()
	_, err = outbound.ExecuteWorkflow(t.Context(), in)
	require.NoError(t, err)
	require.False(t, last.options.EnableEagerStart)
	require.Equal(t, workflowID, last.options.ID)
	require.True(t, options.EnableEagerStart, "the caller's options stay as they are")
}

const workflowID = "dlv_refused"

// startRefused starts a delivery whose workflow fails in its first task, because its input names none.
func startRefused(ctx context.Context, c client.Client) error {
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: contract.TaskQueue, EnableEagerStart: true,
	}, contract.TypeDelivery, contract.DeliveryInput{DeliveryID: "none"})
	return err
}

func dial(t *testing.T, address string, eager *EagerStarts, option grpc.DialOption) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		Interceptors:      []interceptor.ClientInterceptor{eager},
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{option}},
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// heldStart keeps the answer to the start of a workflow back until it is released.
type heldStart struct {
	answered, release chan struct{}
	// eager says that the answer brought a task.
	eager bool
}

func (h *heldStart) intercept(ctx context.Context, method string, request, answer any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	err := invoke(ctx, method, request, answer, connection, options...)
	if strings.HasSuffix(method, "/StartWorkflowExecution") {
		h.eager = answer.(*workflowservice.StartWorkflowExecutionResponse).GetEagerWorkflowTask() != nil
		close(h.answered)
		<-h.release
	}
	return err
}

// lastStart remembers how a workflow was started.
type lastStart struct {
	interceptor.ClientOutboundInterceptorBase
	options client.StartWorkflowOptions
}

func (l *lastStart) ExecuteWorkflow(_ context.Context, in *interceptor.ClientExecuteWorkflowInput) (client.WorkflowRun, error) {
	l.options = *in.Options
	return nil, nil
}

func (e *EagerStarts) allowed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.ended
}

func isClosed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func await(t *testing.T, done chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(t, "it did not happen")
	}
}
