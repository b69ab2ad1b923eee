package e2e

import (
	"context"
	"log/slog"
	"strings"
	"testing"

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
	"github.com/postrider/postrider/worker"
)

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
	eager := &worker.EagerStarts{}
	c := dialEager(t, server.Address(), eager, grpc.WithChainUnaryInterceptor(held.intercept))
	w := worker.New(c, eager, &activities.Activities{}, nil)
	require.NoError(t, w.Start())

	started := make(chan error, 1)
	go func() { started <- startRefused(t.Context(), c) }()
	eventually(t, func() bool { return isClosed(held.answered) }, "no workflow was started")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.Stop()
	}()
	eventually(t, func() bool { return isClosed(stopped) || !eagerAllowed(t, eager) }, "the worker does not stop")
	close(held.release)
	require.NoError(t, <-started)
	<-stopped

	require.True(t, held.eager, "the answer brought the first task")
	description, err := c.DescribeWorkflowExecution(t.Context(), refusedDelivery, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, description.GetWorkflowExecutionInfo().GetStatus(),
		"the first task was lost")
}

const refusedDelivery = "dlv_refused"

// startRefused starts a delivery whose workflow fails in its first task, because its input names none.
func startRefused(ctx context.Context, c client.Client) error {
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: refusedDelivery, TaskQueue: contract.TaskQueue, EnableEagerStart: true,
	}, contract.TypeDelivery, contract.DeliveryInput{DeliveryID: "none"})
	return err
}

func dialEager(t *testing.T, address string, eager *worker.EagerStarts, option grpc.DialOption) client.Client {
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

// eagerAllowed says whether another start would be eager.
func eagerAllowed(t *testing.T, eager *worker.EagerStarts) bool {
	t.Helper()
	last := &lastStart{}
	_, err := eager.InterceptClient(last).ExecuteWorkflow(t.Context(), &interceptor.ClientExecuteWorkflowInput{
		Options: &client.StartWorkflowOptions{EnableEagerStart: true},
	})
	require.NoError(t, err)
	return last.options.EnableEagerStart
}

func isClosed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
