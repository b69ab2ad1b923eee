package worker

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
)

// TestNoEagerStartBehindStop starts a workflow while its process stops: the first task is for another process.
func TestNoEagerStartBehindStop(t *testing.T) {
	t.Parallel()
	eager := &EagerStarts{}
	last := &lastStart{}
	outbound := eager.InterceptClient(last)
	options := client.StartWorkflowOptions{ID: "dlv_a", EnableEagerStart: true}
	in := &interceptor.ClientExecuteWorkflowInput{Options: &options}
	_, err := outbound.ExecuteWorkflow(t.Context(), in)
	require.NoError(t, err)
	require.True(t, last.options.EnableEagerStart)

	eager.end()
	_, err = outbound.ExecuteWorkflow(t.Context(), in)
	require.NoError(t, err)
	require.False(t, last.options.EnableEagerStart)
	require.Equal(t, "dlv_a", last.options.ID)
	require.True(t, options.EnableEagerStart, "the caller's options stay as they are")
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
