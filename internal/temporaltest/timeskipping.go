// Package temporaltest helps tests that run a Temporal server.
package temporaltest

import (
	"context"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// TimeSkipping makes every workflow that a client starts skip time: while nothing is running, the server moves the
// workflow's clock to its next timer. It needs a server whose DynamicConfig sets "frontend.WorkflowTimeSkippingEnabled"
// to true. The SDK has no option for it, so this gRPC interceptor adds it to requests.
func TimeSkipping() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		skip := &commonpb.TimeSkippingConfig{Enabled: true}
		switch r := request.(type) {
		case *workflowservice.StartWorkflowExecutionRequest:
			r.TimeSkippingConfig = skip
		case *workflowservice.SignalWithStartWorkflowExecutionRequest:
			r.TimeSkippingConfig = skip
		case *workflowservice.ExecuteMultiOperationRequest:
			for _, operation := range r.GetOperations() {
				if start := operation.GetStartWorkflow(); start != nil {
					start.TimeSkippingConfig = skip
				}
			}
		}
		return invoke(ctx, method, request, reply, conn, opts...)
	}
}
