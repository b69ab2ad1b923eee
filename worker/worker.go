// Package worker turns a Temporal client into a running worker for Postrider's workflows.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/workflows"
)

// maxPollers bounds how many requests for tasks of a kind wait at Temporal. There are as many as it says are of
// use, a few when idle: retries that come due together must not wait for each other's requests.
const maxPollers = 30

func pollers() worker.PollerBehavior {
	return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{MaximumNumberOfPollers: maxPollers})
}

// Worker works on everything: workflows and attempts, and apart from them the attempts to webhooks that are
// slow or fail.
type Worker struct {
	fast, slow worker.Worker
	eager      *EagerStarts
}

// New returns a worker that is registered and tuned but not started. Stop it to let running attempts finish. The
// eager starts are those of the client.
func New(temporal client.Client, eager *EagerStarts, implementation *activities.Activities, onFatalError func(error)) *Worker {
	w := &Worker{
		eager: eager,
		fast: worker.New(temporal, contract.TaskQueue, worker.Options{
			MaxConcurrentActivityExecutionSize:      attempt.FastSlots,
			MaxConcurrentLocalActivityExecutionSize: attempt.FastSlots,
			MaxConcurrentWorkflowTaskExecutionSize:  attempt.FastSlots,
			WorkflowTaskPollerBehavior:              pollers(),
			ActivityTaskPollerBehavior:              pollers(),
			WorkerStopTimeout:                       timing.WorkerStop,
			OnFatalError:                            onFatalError,
		}),
		slow: worker.New(temporal, contract.TaskQueueSlow, worker.Options{
			MaxConcurrentActivityExecutionSize: attempt.SlowSlots,
			ActivityTaskPollerBehavior:         pollers(),
			DisableWorkflowWorker:              true,
			WorkerStopTimeout:                  timing.WorkerStop,
			OnFatalError:                       onFatalError,
		}),
	}
	workflows.Register(w.fast, implementation)
	w.slow.RegisterActivity(implementation)
	return w
}

// Start begins to ask Temporal for work.
func (w *Worker) Start() error {
	if err := w.slow.Start(); err != nil {
		return err
	}
	if err := w.fast.Start(); err != nil {
		w.slow.Stop()
		return err
	}
	return nil
}

// Stop asks for no more work and waits for the attempts under way. It waits for Temporal's answers to the eager
// starts under way too.
func (w *Worker) Stop() {
	w.eager.end()
	var both sync.WaitGroup
	both.Go(w.slow.Stop)
	both.Go(w.fast.Stop)
	both.Wait()
}

// Prepare makes what the workflows need in the Temporal namespace where it is missing, the search attributes
// and the schedules, and waits until the attributes can be used.
func Prepare(ctx context.Context, temporalClient client.Client, namespace string, logger *slog.Logger) error {
	if err := addSearchAttributes(ctx, temporalClient, namespace, logger); err != nil {
		return err
	}
	for _, id := range contract.FormerSchedules() {
		var gone *serviceerror.NotFound
		if err := temporalClient.ScheduleClient().GetHandle(ctx, id).Delete(ctx); err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("delete schedule %s: %w", id, err)
		}
	}
	for _, schedule := range contract.Schedules() {
		_, err := temporalClient.ScheduleClient().Create(ctx, schedule)
		if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			err = updateSchedule(ctx, temporalClient, schedule)
		}
		if err != nil {
			return fmt.Errorf("create schedule %s: %w", schedule.ID, err)
		}
	}
	return nil
}

// updateSchedule brings a schedule that an older version made to the present times and arguments. Whether it
// is paused stays as it is.
func updateSchedule(ctx context.Context, temporalClient client.Client, wanted client.ScheduleOptions) error {
	handle := temporalClient.ScheduleClient().GetHandle(ctx, wanted.ID)
	description, err := handle.Describe(ctx)
	if err != nil {
		return err
	}
	if spec := description.Schedule.Spec; spec != nil && slices.Equal(spec.Intervals, wanted.Spec.Intervals) {
		return nil
	}
	return handle.Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := in.Description.Schedule
			schedule.Spec, schedule.Action = &wanted.Spec, wanted.Action
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
}

func addSearchAttributes(ctx context.Context, temporalClient client.Client, namespace string, logger *slog.Logger) error {
	operator := temporalClient.OperatorService()
	existing, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := contract.SearchAttributes()
	for name := range existing.GetCustomAttributes() {
		delete(missing, name)
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("add search attributes: %w", err)
	}
	logger.InfoContext(ctx, "added search attributes to the Temporal namespace", "namespace", namespace)
	return waitForSearchAttributes(ctx, temporalClient, namespace)
}

// waitForSearchAttributes asks until Temporal's frontends know the new attributes; they cache a namespace for
// some seconds.
func waitForSearchAttributes(ctx context.Context, temporalClient client.Client, namespace string) error {
	query := contract.SearchEvent.GetName() + " = 'none'"
	for {
		_, err := temporalClient.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: namespace, Query: query,
		})
		var notYet *serviceerror.InvalidArgument
		if !errors.As(err, &notYet) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("search attributes cannot be used: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
