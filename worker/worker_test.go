package worker_test

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/worker"
)

// busyStore is a store in which cancelling a delivery takes until it is released.
type busyStore struct {
	activities.Store
	release       chan struct{}
	underWay, all atomic.Int32
}

func (s *busyStore) CancelDelivery(context.Context, string, models.CancelCause, string) error {
	s.underWay.Add(1)
	s.all.Add(1)
	<-s.release
	s.underWay.Add(-1)
	return nil
}

// noQueues starts nothing: no delivery stands in a queue.
type noQueues struct{ attempt.Starter }

func (noQueues) MoveUp(func(context.Context) (models.Delivery, error)) {}

func newWorker(c client.Client, store activities.Store) *worker.Worker {
	parts := &activities.Activities{Store: store, Attempts: &attempt.Maker{Starter: noQueues{}}}
	return worker.New(c, &worker.EagerStarts{}, parts, nil)
}

// A worker asks for work of three kinds. The queue of slow webhooks has no workflows.
func TestWorkerAsksForItsWork(t *testing.T) {
	t.Parallel()
	f, c := startFrontend(t)
	w := newWorker(c, nil)
	require.NoError(t, w.Start())
	for _, queue := range []poll{workflowTasks, fastTasks, slowTasks} {
		require.Eventually(t, func() bool { all, _ := f.polls(queue); return all > 0 }, patience, time.Millisecond, "%v", queue)
	}
	w.Stop()
	all, _ := f.polls(poll{contract.TaskQueueSlow, enumspb.TASK_QUEUE_TYPE_WORKFLOW})
	require.Zero(t, all)
	for _, queue := range []poll{workflowTasks, fastTasks, slowTasks} {
		require.Eventually(t, func() bool { _, waiting := f.polls(queue); return waiting == 0 }, patience, time.Millisecond, "it takes no more of %v", queue)
	}
}

// Whatever a workflow may ask for is known to the worker, in both lanes. Here nothing behind it works.
func TestWorkerKnowsAllWork(t *testing.T) {
	t.Parallel()
	f, c := startFrontend(t)
	w := newWorker(c, nil)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	for _, name := range []string{
		contract.TypeDelivery, contract.TypeFanOut, contract.TypeInbound, contract.TypeNotification, contract.TypeOwnerDeletion,
		contract.TypeRecovery, contract.TypeRelease, contract.TypeRetention, contract.TypeSweep,
	} {
		require.NotContains(t, f.requireAnswer(t, f.giveWorkflow(name)), "unable to find workflow type")
	}
	require.Contains(t, f.requireAnswer(t, f.giveWorkflow("Unknown")), "unable to find workflow type")

	implementation := reflect.TypeFor[*activities.Activities]()
	require.Greater(t, implementation.NumMethod(), 10)
	for number, queue := range []poll{fastTasks, slowTasks} {
		for i := range implementation.NumMethod() {
			require.NotContains(t, f.requireAnswer(t, f.giveActivity(t, queue, implementation.Method(i).Name, number)), "unable to find activityType")
		}
		require.Contains(t, f.requireAnswer(t, f.giveActivity(t, queue, "Unknown", number)), "unable to find activityType")
	}
}

// Each lane has as many slots as attempts are counted on, and one that is full takes no more.
func TestWorkerHasTheSlotsOfBothLanes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		queue poll
		slots int32
	}{
		"fast": {fastTasks, attempt.FastSlots},
		"slow": {slowTasks, attempt.SlowSlots},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := startFrontend(t)
			store := &busyStore{release: make(chan struct{})}
			w := newWorker(c, store)
			require.NoError(t, w.Start())
			for i := range int(test.slots) + 50 {
				f.giveActivity(t, test.queue, "RecordCancellation", i, activities.CancelInput{DeliveryID: "dlv_x"})
			}
			require.Eventually(t, func() bool {
				_, waiting := f.polls(test.queue)
				return store.underWay.Load() == test.slots && waiting == 0
			}, patience, time.Millisecond, "all slots are taken, and no more are asked for")
			require.Len(t, f.activities[test.queue], 50)
			close(store.release)
			require.Eventually(t, func() bool { return store.all.Load() == test.slots+50 }, patience, time.Millisecond)
			w.Stop()
		})
	}
}

// A worker that stops finishes what is under way, and says so to Temporal.
func TestWorkerStopsGracefully(t *testing.T) {
	t.Parallel()
	f, c := startFrontend(t)
	store := &busyStore{release: make(chan struct{})}
	w := newWorker(c, store)
	require.NoError(t, w.Start())
	var tokens []string
	for i, queue := range []poll{fastTasks, slowTasks} {
		tokens = append(tokens, f.giveActivity(t, queue, "RecordCancellation", i, activities.CancelInput{DeliveryID: "dlv_x"}))
	}
	require.Eventually(t, func() bool { return store.underWay.Load() == 2 }, patience, time.Millisecond)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.Stop()
	}()
	for _, queue := range []poll{workflowTasks, fastTasks, slowTasks} {
		require.Eventually(t, func() bool { _, waiting := f.polls(queue); return waiting == 0 }, patience, time.Millisecond)
	}
	select {
	case <-stopped:
		require.Fail(t, "it stops with attempts under way")
	default:
	}
	close(store.release)
	<-stopped
	for _, token := range tokens {
		require.Empty(t, f.requireAnswer(t, token))
	}
}

// A worker that Temporal has no namespace for does not start, and asks for nothing.
func TestWorkerThatDoesNotStart(t *testing.T) {
	t.Parallel()
	f, c := startFrontend(t)
	f.namespaceErr = serviceerror.ToStatus(serviceerror.NewInvalidArgument("no such namespace")).Err()
	require.ErrorContains(t, newWorker(c, nil).Start(), "no such namespace")
	for _, queue := range []poll{workflowTasks, fastTasks, slowTasks} {
		all, _ := f.polls(queue)
		require.Zero(t, all)
	}
}
