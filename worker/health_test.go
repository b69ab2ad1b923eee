package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/worker"
)

var errAway = errors.New("no answer")

func TestCheckTemporal(t *testing.T) {
	t.Parallel()
	f, c := startFrontend(t)
	require.NoError(t, worker.CheckTemporal(t.Context(), c, client.DefaultNamespace))
	f.mu.Lock()
	f.namespaceErr = errAway
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.Error(t, worker.CheckTemporal(ctx, c, client.DefaultNamespace))
}

// A worker counts as polling when Temporal has seen it not long ago, on every queue.
func TestCheckPolling(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	queues := []poll{workflowTasks, fastTasks, slowTasks}
	for name, test := range map[string]struct {
		// seen is how long ago this worker polled each queue; a negative time stands for never.
		seen [3]time.Duration
		err  error
		want string
	}{
		"just now":           {[3]time.Duration{0, time.Minute, 89 * time.Second}, nil, ""},
		"long ago":           {[3]time.Duration{0, 0, 2 * time.Minute}, nil, "does not poll"},
		"never":              {[3]time.Duration{-1, 0, 0}, nil, "does not poll"},
		"Temporal is away":   {[3]time.Duration{}, errAway, "Temporal does not say who polls"},
		"no slow activities": {[3]time.Duration{0, 0, -1}, nil, "does not poll"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporal := &mocks.Client{}
			for i, queue := range queues {
				pollers := []*taskqueuepb.PollerInfo{{Identity: "someone else", LastAccessTime: timestamppb.New(now)}}
				if test.seen[i] >= 0 {
					pollers = append(pollers, &taskqueuepb.PollerInfo{Identity: "me", LastAccessTime: timestamppb.New(now.Add(-test.seen[i]))})
				}
				temporal.On("DescribeTaskQueue", mock.Anything, queue.queue, queue.kind).
					Return(&workflowservice.DescribeTaskQueueResponse{Pollers: pollers}, test.err)
			}
			err := worker.CheckPolling(t.Context(), temporal, "me", now)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.want)
		})
	}
}

func TestCheckSweep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		created, swept time.Duration // ago
		paused         bool
		err            error
		want           string
	}{
		"in time":             {created: time.Hour, swept: 10 * time.Second},
		"its schedule is new": {created: time.Second, swept: time.Hour},
		"late":                {created: time.Hour, swept: 2 * time.Minute, want: "the last one began 2m0s ago instead of every 10s"},
		"paused":              {created: time.Hour, paused: true, want: "its schedule " + contract.SweepScheduleID + " is paused"},
		"Temporal is away":    {err: errAway, want: "Temporal does not know of its schedule, or does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporal, schedules, handle := &mocks.Client{}, &mocks.ScheduleClient{}, &mocks.ScheduleHandle{}
			temporal.On("ScheduleClient").Return(schedules)
			schedules.On("GetHandle", mock.Anything, contract.SweepScheduleID).Return(handle)
			handle.On("Describe", mock.Anything).Return(&client.ScheduleDescription{
				Schedule: client.Schedule{State: &client.ScheduleState{Paused: test.paused}},
				Info: client.ScheduleInfo{
					CreatedAt: now.Add(-test.created), RecentActions: []client.ScheduleActionResult{{ActualTime: now.Add(-test.swept)}},
				},
			}, test.err)
			err := worker.CheckSweep(t.Context(), temporal, now)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.want)
		})
	}
}
