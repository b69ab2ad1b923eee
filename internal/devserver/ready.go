package devserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	readyTimeout  = 30 * time.Second
	readyInterval = 10 * time.Millisecond
)

// waitReady returns once the namespace can be used. It asks for a workflow
// that does not exist: the frontend can only say so when it knows the
// namespace and the history service has loaded the workflow's shard.
func (s *Server) waitReady(ctx context.Context, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	conn, err := grpc.NewClient(s.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to temporal: %w", err)
	}
	defer func() { _ = conn.Close() }()
	client := workflowservice.NewWorkflowServiceClient(conn)

	request := &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: namespace,
		Execution: &commonpb.WorkflowExecution{WorkflowId: "devserver-ready"},
	}
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for {
		_, err := client.DescribeWorkflowExecution(ctx, request, grpc.WaitForReady(true))
		var notFound *serviceerror.NotFound
		if err == nil || errors.As(serviceerror.FromStatus(serviceerror.ToStatus(err)), &notFound) {
			return nil
		}
		select {
		case cause := <-s.log.failed:
			return fmt.Errorf("start temporal: %w", cause)
		case <-ctx.Done():
			return fmt.Errorf("wait for temporal: %w (last answer: %w)", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}
