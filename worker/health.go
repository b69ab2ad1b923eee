package worker

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
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
	for _, of := range queues {
		queue, err := temporal.DescribeTaskQueue(ctx, of.name, of.kind)
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
