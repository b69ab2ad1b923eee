package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/bench/load"
	"github.com/postrider/postrider/internal/bench/report"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// The floor is what Temporal itself costs: workflows of the shape of a delivery that succeeds at once, with
// nothing of Postrider in them. Starting them and working on them is this process's part, which counts.
const (
	floorTaskQueue = "bench-floor"
	floorType      = "BenchFloor"
	// floorSlots is how many each of workflow tasks and activities run at once, as in Postrider's worker.
	floorSlots = 1000
)

func floor(concurrency int) scenario {
	return scenario{
		name: fmt.Sprintf("floor-c%d", concurrency), group: "floor", needs: needsTemporal,
		help:        fmt.Sprintf("closed loop: %d workflows under way that do nothing: the engine's limit", concurrency),
		concurrency: concurrency, run: (*bench).floor,
	}
}

// floorWorker is both ends of the floor's workflows.
type floorWorker struct {
	ledger *load.Ledger

	mu sync.Mutex
	// numbers are the events' numbers by workflow ID.
	numbers map[string]int
}

// floor runs a scenario of workflows that do nothing.
func (b *bench) floor(s scenario) (report.Result, error) {
	result := report.Result{Name: s.name, Help: s.help, BenchWorks: true}
	l := load.New()
	f := &floorWorker{ledger: l.Ledger, numbers: map[string]int{}}
	w := worker.New(b.target.Temporal, floorTaskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize:      floorSlots,
		MaxConcurrentLocalActivityExecutionSize: floorSlots,
		MaxConcurrentWorkflowTaskExecutionSize:  floorSlots,
	})
	w.RegisterWorkflowWithOptions(f.workflow, workflow.RegisterOptions{Name: floorType})
	if err := w.Start(); err != nil {
		return result, fmt.Errorf("start the floor's worker: %w", err)
	}
	defer w.Stop()
	l.Send = func(ctx context.Context, due time.Duration) <-chan struct{} {
		n, e := l.Ledger.Open(due, 0, 1)
		err := b.startFloor(ctx, f, n)
		l.Problems.Add(err)
		l.Ledger.Answer(e, err == nil)
		return e.Complete
	}
	_, err := b.measure(s, l, &result)
	return result, err
}

// startFloor starts a workflow as Postrider starts a delivery's.
func (b *bench) startFloor(ctx context.Context, f *floorWorker, n int) error {
	now := time.Now()
	options := contract.DeliveryOptions(contract.Delivery{
		ID: typeid.New(typeid.KindDelivery, now), Event: "bench-floor.all", Host: "127.0.0.1",
		WebhookID: floorWebhook, OwnerID: floorOwner,
	})
	options.TaskQueue = floorTaskQueue
	f.mu.Lock()
	f.numbers[options.ID] = n
	f.mu.Unlock()
	_, err := b.target.Temporal.ExecuteWorkflow(ctx, options, floorType, contract.DeliveryInput{DeliveryID: options.ID})
	return err
}

// floorWebhook and floorOwner have the length of real ones.
const (
	floorWebhook = "wh_00000000000000000000000000"
	floorOwner   = "own_00000000000000000000000000"
)

// workflow has the shape of workflows.Delivery when the first attempt succeeds.
func (f *floorWorker) workflow(ctx workflow.Context, in contract.DeliveryInput) error {
	status := contract.DeliveryStatus{DeliveryID: in.DeliveryID, Status: string(models.StatusPending)}
	err := workflow.SetQueryHandler(ctx, contract.QueryStatus, func() (contract.DeliveryStatus, error) { return status, nil })
	if err != nil {
		return err
	}
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:             "attempt 1",
	})
	var result attempt.Result
	err = workflow.ExecuteLocalActivity(ctx, f.deliver, attempt.Input{
		DeliveryID: in.DeliveryID, Trigger: models.TriggerSchedule, Sequence: 1,
		ScheduledAt: workflow.GetInfo(ctx).WorkflowStartTime,
	}).Get(ctx, &result)
	status.Status = string(result.Status)
	return err
}

// deliver does nothing, with a result of a delivery's size.
func (f *floorWorker) deliver(_ context.Context, in attempt.Input) (attempt.Result, error) {
	at := f.ledger.Now()
	f.mu.Lock()
	n, known := f.numbers[in.DeliveryID]
	f.mu.Unlock()
	if known {
		f.ledger.Arrive(n, 0, in.DeliveryID, at)
	}
	status := http.StatusOK
	return attempt.Result{Attempted: attempt.Attempted{
		AttemptID: "att_00000000000000000000000000", Number: 1, Trigger: in.Trigger, StatusCode: &status,
		DurationMS: 1, RemoteAddr: "127.0.0.1:9000", StartedAt: time.Now().UTC(),
	}, Decision: attempt.Decision{Status: models.StatusDelivered}}, nil
}
