package worker

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
)

// polledWithin is how old a worker's last poll may be: a poll waits for up to a minute, and one that fails is repeated within
// ten seconds.
const polledWithin = 90 * time.Second

// CheckTemporal returns nil when Temporal can do its work: its frontend answers, and so does the database
// behind it.
func CheckTemporal(ctx context.Context, temporal client.Client, namespace string) error {
	_, err := temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return err
}

// CheckPolling returns nil when Temporal has seen the worker with this identity ask for work of every kind not
// long ago.
func CheckPolling(ctx context.Context, temporal client.Client, identity string, now time.Time) error {
	for _, source := range []struct {
		queue string
		kind  enumspb.TaskQueueType
	}{
		{contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW},
		{contract.TaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
		{contract.TaskQueueSlow, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	} {
		queue, err := temporal.DescribeTaskQueue(ctx, source.queue, source.kind)
		if err != nil {
			return errors.New("Temporal does not say who polls") //nolint:staticcheck // a name
		}
		polls := false
		for _, poller := range queue.GetPollers() {
			polls = polls || poller.GetIdentity() == identity && now.Sub(poller.GetLastAccessTime().AsTime()) < polledWithin
		}
		if !polls {
			return errors.New("does not poll")
		}
	}
	return nil
}
