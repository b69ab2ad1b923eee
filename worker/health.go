package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
)

const (
	// polledWithin is how old a worker's last poll may be: a poll waits for up to a minute, and one that fails
	// is repeated within ten seconds.
	polledWithin = 90 * time.Second
	// sweptWithin is how old the last sweep may be: some in a row may fail to start, while Temporal is restarted
	// for one.
	sweptWithin = 6 * contract.SweepInterval
)

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

// CheckSweep returns nil when the sweep comes by as often as it should. One that has more to start than it can
// in time holds up the next one, so this finds a backlog too.
func CheckSweep(ctx context.Context, temporal client.Client, now time.Time) error {
	schedule, err := temporal.ScheduleClient().GetHandle(ctx, contract.SweepScheduleID).Describe(ctx)
	if err != nil {
		return errors.New("Temporal does not know of its schedule, or does not answer") //nolint:staticcheck // a name
	}
	if schedule.Schedule.State.Paused {
		return errors.New("its schedule " + contract.SweepScheduleID + " is paused")
	}
	last := schedule.Info.CreatedAt
	for _, action := range schedule.Info.RecentActions {
		if action.ActualTime.After(last) {
			last = action.ActualTime
		}
	}
	if behind := now.Sub(last); behind > sweptWithin {
		return fmt.Errorf("the last one began %s ago instead of every %s", behind.Round(time.Second), contract.SweepInterval)
	}
	return nil
}
