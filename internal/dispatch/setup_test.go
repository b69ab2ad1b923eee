package dispatch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// started is one call of ExecuteWorkflow or SignalWithStartWorkflow.
type started struct {
	options  client.StartWorkflowOptions
	workflow string
	input    any
	signal   string
	argument any
}

// fakeTemporal takes the place of Temporal's client: it keeps what is asked of it. What a test does not
// expect to be called is nil and panics.
type fakeTemporal struct {
	client.Client
	// start decides what becomes of a start; nil lets each succeed.
	start func(ctx context.Context, workflowID string) error
	// run is what ExecuteWorkflow returns: unless a test sets it, one that has ended.
	run run
	// cancelErr is the answer to CancelWorkflow.
	cancelErr error
	// latest is what DescribeWorkflowExecution tells; nil for a run that goes on until a cancellation does not find it.
	latest func() latestRun

	mu        sync.Mutex
	started   []started
	cancelled []string
	signals   []signalled
	// signalErr are the answers to SignalWorkflow, by workflow.
	signalErr map[string]error
}

// signalled is one call of SignalWorkflow.
type signalled struct {
	id, run, name string
	argument      any
}

func (f *fakeTemporal) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var gone *serviceerror.NotFound
	run := latestRun{running: len(f.cancelled) == 0 || !errors.As(f.cancelErr, &gone)}
	if f.latest != nil {
		run = f.latest()
	}
	status := enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	if run.running {
		status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: status, Execution: &commonpb.WorkflowExecution{RunId: run.id}},
		WorkflowExtendedInfo:  &workflowpb.WorkflowExecutionExtendedInfo{CancelRequested: run.cancelled},
	}, nil
}

func (f *fakeTemporal) SignalWorkflow(_ context.Context, workflowID, runID, signal string, argument any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signals = append(f.signals, signalled{workflowID, runID, signal, argument})
	return f.signalErr[workflowID]
}

func (f *fakeTemporal) ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	return f.run, f.record(ctx, started{options: options, workflow: workflow.(string), input: args[0]})
}

func (f *fakeTemporal) SignalWithStartWorkflow(ctx context.Context, workflowID, signal string, argument any,
	options client.StartWorkflowOptions, workflow any, args ...any,
) (client.WorkflowRun, error) {
	options.ID = workflowID
	return f.run, f.record(ctx, started{
		options: options, workflow: workflow.(string), input: args[0], signal: signal, argument: argument,
	})
}

func (f *fakeTemporal) CancelWorkflow(_ context.Context, workflowID, runID string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancelled = append(f.cancelled, workflowID+runID)
	return f.cancelErr
}

func (f *fakeTemporal) record(ctx context.Context, call started) error {
	if f.start != nil {
		if err := f.start(ctx, call.options.ID); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started = append(f.started, call)
	return nil
}

// ids are the workflow IDs of what was started.
func (f *fakeTemporal) ids() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make([]string, len(f.started))
	for i, call := range f.started {
		ids[i] = call.options.ID
	}
	return ids
}

// log keeps what is logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *log) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// setup returns a Dispatcher on a real store.
func setup(t *testing.T, temporal *fakeTemporal) (*Dispatcher, *store.Store, *log) {
	t.Helper()
	db, err := store.Open(testdb.SQLite(t), 0)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	_, err = migrations.Up(t.Context(), pool, "sqlite")
	require.NoError(t, err)
	keyring, err := keyring.New(make([]byte, keyring.KeyBytes))
	require.NoError(t, err)
	store := store.New(db, store.Config{Keyring: keyring})
	log := &log{}
	return New(store, temporal, log.logger()), store, log
}

func makeWebhook(t *testing.T, store *store.Store) models.Webhook {
	t.Helper()
	webhook := models.Webhook{
		OwnerID: models.DefaultOwnerID, URL: "https://example.com/hook", Host: "example.com", Events: []string{"*"}, Active: true,
	}
	require.NoError(t, store.CreateWebhook(t.Context(), &webhook, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	return webhook
}

// publishOne publishes an event that matches one webhook.
func publishOne(t *testing.T, store *store.Store) models.Delivery {
	t.Helper()
	published, err := store.Publish(t.Context(), models.Event{Type: "order.paid", Data: []byte(`{}`)})
	require.NoError(t, err)
	require.Len(t, published.Deliveries, 1)
	return published.Deliveries[0]
}

func statusOf(t *testing.T, store *store.Store, id string) models.Delivery {
	t.Helper()
	delivery, err := store.Delivery(t.Context(), models.Scope{}, id)
	require.NoError(t, err)
	return delivery
}
