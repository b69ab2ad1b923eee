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
