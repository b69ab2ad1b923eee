package e2e

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/devserver"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/temporaltest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
	"github.com/postrider/postrider/worker"
)

var updateHistories = flag.Bool("update-histories", false, "record the histories that the replay test reads")

const historiesFolder = "../workflows/testdata/histories"

// inProcess is a worker in this process on an embedded Temporal server that can skip time.
type inProcess struct {
	store      *recorder
	activities *activities.Activities
	starter    *start.Starter
	dispatcher *dispatch.Dispatcher
	// skipping starts workflows whose waits take no time, plain such whose waits are real.
	skipping, plain client.Client
}

// recorder is a store whose log cannot be written for some calls.
type recorder struct {
	*store.Store
	away atomic.Int64
}

func (r *recorder) RecordAttempt(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	if r.away.Add(-1) >= 0 {
		return models.Recorded{}, errors.New("the database is away")
	}
	return r.Store.RecordAttempt(ctx, outcome)
}

// startInProcess starts all of it; settings are Temporal's, in addition.
func startInProcess(t *testing.T, settings map[string]any) *inProcess {
	t.Helper()
	p := prepareInProcess(t, settings)
	w := worker.New(p.plain, &worker.EagerStarts{}, p.activities, nil)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return p
}

// prepareInProcess starts all but the worker.
func prepareInProcess(t *testing.T, settings map[string]any) *inProcess {
	t.Helper()
	dynamic := map[string]any{"frontend.WorkflowTimeSkippingEnabled": true}
	maps.Copy(dynamic, settings)
	server, err := devserver.Start(t.Context(), devserver.Config{
		UIPort: devserver.NoUI, SearchAttributes: contract.SearchAttributes(), DynamicConfig: dynamic,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	p := &inProcess{store: &recorder{Store: storetest.New(t, storetest.SQLite(t), store.Config{})}}
	options := client.Options{HostPort: server.Address()}
	p.plain = dialTemporal(t, options)
	options.ConnectionOptions.DialOptions = []grpc.DialOption{grpc.WithChainUnaryInterceptor(temporaltest.TimeSkipping())}
	p.skipping = dialTemporal(t, options)

	sender, err := egress.New(egress.Config{AllowTargets: egresstest.Networks(t, "127.0.0.0/8")})
	require.NoError(t, err)
	t.Cleanup(sender.Close)
	quiet := slog.New(slog.DiscardHandler)
	p.starter = start.New(p.plain, quiet)
	t.Cleanup(p.starter.Close)
	p.dispatcher = dispatch.New(dispatch.Config{Store: p.store, Starter: p.starter, Temporal: p.plain, Logger: quiet})
	p.activities = &activities.Activities{
		Store: p.store, Starter: p.starter, Canceller: p.dispatcher, Now: time.Now,
		Links: activities.Links{Workflow: func(string) string { return "" }},
		Attempts: &attempt.Maker{
			Store: p.store, Sender: sender, Starter: p.starter, Rules: rules.New(), Lanes: attempt.NewLanes(attempt.DefaultConcurrency),
			Schedule: models.DefaultRetrySchedule(), UserAgent: "Postrider/test", Now: time.Now, Logger: quiet,
		},
	}
	return p
}

// deliveryTo stores a delivery to a receiver.
func (p *inProcess) deliveryTo(t *testing.T, target *receiver) models.Delivery {
	t.Helper()
	secret, err := signature.NewSecret()
	require.NoError(t, err)
	parsed, err := url.Parse(target.url)
	require.NoError(t, err)
	owner := models.Owner{Name: "acme"}
	require.NoError(t, p.store.CreateOwner(t.Context(), &owner))
	webhook := models.Webhook{OwnerID: owner.ID, URL: target.url, Host: parsed.Host, Events: []string{"*"}, Active: true}
	require.NoError(t, p.store.CreateWebhook(t.Context(), &webhook, secret))
	published, err := p.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: owner.ID})
	require.NoError(t, err)
	return published.Deliveries[0]
}

// begin starts a delivery's workflow.
func begin(t *testing.T, c client.Client, delivery models.Delivery) client.WorkflowRun {
	t.Helper()
	started, err := c.ExecuteWorkflow(t.Context(), contract.DeliveryOptions(toStart(delivery)), contract.TypeDelivery,
		contract.DeliveryInput{DeliveryID: delivery.ID})
	require.NoError(t, err)
	return started
}

func (p *inProcess) awaitStatus(t *testing.T, delivery models.Delivery, status models.Status) {
	t.Helper()
	eventually(t, func() bool {
		row, err := p.store.Delivery(t.Context(), models.Scope{}, delivery.ID)
		require.NoError(t, err)
		return row.Status == status
	}, "%s does not become %s", delivery.ID, status)
}

// TestWholeSchedule lets a delivery fail for twelve and a half hours, which a real Temporal server skips.
func TestWholeSchedule(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, nil)
	target := newReceiver(t, always(http.StatusInternalServerError))
	delivery := p.deliveryTo(t, target)
	began := time.Now()
	require.Error(t, begin(t, p.skipping, delivery).Get(t.Context(), nil))
	t.Logf("the schedule took %s", time.Since(began).Round(time.Millisecond))

	history := historyOf(t, p.plain, delivery.ID, "")
	require.Equal(t, contract.ErrTypeDeliveryExhausted, failureType(history))
	require.Equal(t, []timer{
		{time.Minute, "retry 1 of 5"}, {5 * time.Minute, "retry 2 of 5"}, {25 * time.Minute, "retry 3 of 5"},
		{2 * time.Hour, "retry 4 of 5"}, {10 * time.Hour, "retry 5 of 5"},
	}, timersOf(t, history))
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6"}, attempts(target.all()))
	requireSameDelivery(t, delivery.ID, target.all())
}

// TestRecordHistories makes a delivery take each of its ways on a real server. With -update-histories it
// keeps what Temporal recorded, for the replay test of package workflows.
func TestRecordHistories(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, nil)
	for name, scenario := range map[string]struct {
		script script
		tell   func(t *testing.T, delivery models.Delivery)
		end    enumspb.WorkflowExecutionStatus
	}{
		"delivered-at-once": {always(200), func(t *testing.T, d models.Delivery) {
			require.NoError(t, begin(t, p.plain, d).Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		"delivered-after-retries": {failFirst(3, 500), func(t *testing.T, d models.Delivery) {
			require.NoError(t, begin(t, p.skipping, d).Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		"exhausted": {always(500), func(t *testing.T, d models.Delivery) {
			require.Error(t, begin(t, p.skipping, d).Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED},
		"resent-while-waiting": {failFirst(2, 500), func(t *testing.T, d models.Delivery) {
			started := begin(t, p.plain, d)
			p.awaitStatus(t, d, models.StatusFailed)
			p.resend(t, d) // fails
			p.resend(t, d) // succeeds
			require.NoError(t, started.Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		"resent-after-end": {always(200), func(t *testing.T, d models.Delivery) {
			require.NoError(t, begin(t, p.plain, d).Get(t.Context(), nil))
			p.resend(t, d)
			require.NoError(t, p.plain.GetWorkflow(t.Context(), d.ID, "").Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		"cancelled": {always(500), func(t *testing.T, d models.Delivery) {
			started := begin(t, p.plain, d)
			p.awaitStatus(t, d, models.StatusFailed)
			require.NoError(t, p.plain.CancelWorkflow(t.Context(), d.ID, ""))
			require.Error(t, started.Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED},
		"webhook-deleted": {always(500), func(t *testing.T, d models.Delivery) {
			started := begin(t, p.plain, d)
			p.awaitStatus(t, d, models.StatusFailed)
			require.NoError(t, p.store.DeleteWebhook(t.Context(), models.Scope{}, d.WebhookID))
			p.resend(t, d)
			require.Error(t, started.Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED},
		"gone": {always(http.StatusGone), func(t *testing.T, d models.Delivery) {
			require.Error(t, begin(t, p.plain, d).Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED},
		"delivered-in-the-slow-lane": {always(200), func(t *testing.T, d models.Delivery) {
			p.sicken(t, d)
			require.NoError(t, begin(t, p.plain, d).Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		"delivered-under-a-rate-limit": {always(200), func(t *testing.T, d models.Delivery) {
			perSecond := 0.25
			_, err := p.store.UpdateWebhook(t.Context(), models.Scope{}, d.WebhookID, func(webhook *models.Webhook) error {
				webhook.RateLimit = &perSecond
				return nil
			})
			require.NoError(t, err)
			_, err = p.store.ReserveRequest(t.Context(), d.WebhookID, perSecond, nil)
			require.NoError(t, err)
			require.NoError(t, begin(t, p.plain, d).Get(t.Context(), nil))
		}, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
	} {
		t.Run(name, func(t *testing.T) {
			delivery := p.deliveryTo(t, newReceiver(t, scenario.script))
			scenario.tell(t, delivery)
			awaitWorkflow(t, p.plain, delivery.ID, "", scenario.end)
			p.keepHistory(t, name, delivery.ID, "")
		})
	}
	t.Run("recorded-later", p.recordsLater)
	t.Run("cancelled-during-attempt", p.cancelsDuringAttempt)
	t.Run("retention", p.retains)
	t.Run("sweep", p.sweeps)
}

// recordsLater has the database away when the attempt is to be recorded.
func (p *inProcess) recordsLater(t *testing.T) {
	target := newReceiver(t, always(200))
	delivery := p.deliveryTo(t, target)
	p.store.away.Store(2)
	require.NoError(t, begin(t, p.plain, delivery).Get(t.Context(), nil))
	require.Equal(t, 1, target.count())
	p.awaitStatus(t, delivery, models.StatusDelivered)
	p.keepHistory(t, "recorded-later", delivery.ID, "")
}

// cancelsDuringAttempt cancels a delivery while a request is on its way.
func (p *inProcess) cancelsDuringAttempt(t *testing.T) {
	gate := newGate(t)
	target := newReceiver(t, gate.holding(2, always(500)))
	delivery := p.deliveryTo(t, target)
	started := begin(t, p.plain, delivery)
	p.awaitStatus(t, delivery, models.StatusFailed)
	p.resend(t, delivery)
	target.await(t, 2)
	require.NoError(t, p.plain.CancelWorkflow(t.Context(), delivery.ID, ""))
	awaitCancelSeen(t, p.plain, delivery.ID)
	gate.open()
	require.Error(t, started.Get(t.Context(), nil))
	awaitWorkflow(t, p.plain, delivery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	p.keepHistory(t, "cancelled-during-attempt", delivery.ID, "")
}

// retains runs the retention as the schedule starts it, without an argument.
func (p *inProcess) retains(t *testing.T) {
	started, err := p.plain.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: contract.RetentionScheduleID, TaskQueue: contract.TaskQueue,
	}, contract.TypeRetention)
	require.NoError(t, err)
	require.NoError(t, started.Get(t.Context(), nil))
	p.keepHistory(t, "retention", started.GetID(), "")
}

// sweeps runs the sweep, pauses it and has it go on.
func (p *inProcess) sweeps(t *testing.T) {
	started, err := p.plain.ExecuteWorkflow(t.Context(), contract.SweepOptions(), contract.TypeSweep, contract.SweepInput{Every: time.Second})
	require.NoError(t, err)
	sweeps := func(times int) {
		eventually(t, func() bool {
			swept := 0
			for _, event := range historyOf(t, p.plain, started.GetID(), "").GetEvents() {
				if event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == "StartPendingRecoveries" {
					swept++
				}
			}
			return swept >= times
		}, "the sweep does not come by %d times", times)
	}
	sweeps(2)
	require.NoError(t, p.plain.SignalWorkflow(t.Context(), started.GetID(), "", contract.SignalPause, nil))
	require.NoError(t, p.plain.SignalWorkflow(t.Context(), started.GetID(), "", contract.SignalResume, nil))
	sweeps(4)
	p.keepHistory(t, "sweep", started.GetID(), "")
	require.NoError(t, p.plain.TerminateWorkflow(t.Context(), started.GetID(), "", "the test is over"))
}

// resend asks for an attempt now, as the command line does.
func (p *inProcess) resend(t *testing.T, delivery models.Delivery) {
	t.Helper()
	_, err := p.plain.SignalWithStartWorkflow(t.Context(), delivery.ID, contract.SignalResend,
		contract.ResendSignal{RequestedBy: "test"}, contract.ResendOptions(toStart(delivery)), contract.TypeDelivery,
		contract.DeliveryInput{DeliveryID: delivery.ID})
	require.NoError(t, err)
}

// sicken has other deliveries to the same webhook fail.
func (p *inProcess) sicken(t *testing.T, delivery models.Delivery) {
	t.Helper()
	for range 2 {
		published, err := p.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: delivery.OwnerID})
		require.NoError(t, err)
		now := p.store.Now()
		_, err = p.store.Store.RecordAttempt(t.Context(), models.Outcome{Status: models.StatusPermanentlyFailed, Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, now), DeliveryID: published.Deliveries[0].ID, Number: 1, StartedAt: now,
		}})
		require.NoError(t, err)
	}
}

// awaitCancelSeen waits until a worker has dealt with the request to cancel a workflow.
func awaitCancelSeen(t *testing.T, c client.Client, id string) {
	t.Helper()
	eventually(t, func() bool {
		asked := false
		for _, event := range historyOf(t, c, id, "").GetEvents() {
			asked = asked || event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
			if asked && event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
				return true
			}
		}
		return false
	}, "%s does not see that it is cancelled", id)
}

// keepHistory keeps a run's history; an empty runID means the latest run.
func (p *inProcess) keepHistory(t *testing.T, name, workflowID, runID string) {
	t.Helper()
	if !*updateHistories {
		return
	}
	history := historyOf(t, p.plain, workflowID, runID)
	for _, event := range history.GetEvents() {
		// A worker's own queue is named after its host.
		queue := event.GetWorkflowTaskScheduledEventAttributes().GetTaskQueue()
		if queue.GetKind() == enumspb.TASK_QUEUE_KIND_STICKY {
			queue.Name = "sticky"
		}
	}
	content, err := protojson.MarshalOptions{Indent: " "}.Marshal(history)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(historiesFolder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(historiesFolder, name+".json"), content, 0o600))
}

// toStart is what Temporal is told of a delivery.
func toStart(d models.Delivery) contract.Delivery {
	return contract.Delivery{ID: d.ID, OwnerID: d.OwnerID, WebhookID: d.WebhookID, Event: d.Event, Host: d.Host}
}
