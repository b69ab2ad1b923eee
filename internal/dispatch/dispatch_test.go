package dispatch_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.uber.org/goleak"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

func TestMain(m *testing.M) {
	// gorm's cache of prepared statements keeps a goroutine that nothing can end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

var errNoAnswer = errors.New("no answer")

// newStore has a number of webhooks that match everything. Temporal alone is not real in these tests: what it
// does with a start is shown end to end.
func newStore(t *testing.T, webhooks int) *store.Store {
	t.Helper()
	db, err := store.Open(testdb.SQLite(t), 4)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	_, err = migrations.Up(t.Context(), pool, "sqlite")
	require.NoError(t, err)
	key, err := keyring.ParseKey(keyring.NewKey())
	require.NoError(t, err)
	keyring, err := keyring.New(key)
	require.NoError(t, err)
	store := store.New(db, store.Config{Keyring: keyring})
	secret, err := signature.NewSecret()
	require.NoError(t, err)
	for range webhooks {
		webhook := models.Webhook{OwnerID: models.DefaultOwnerID, URL: "http://x.test", Host: "x.test", Events: []string{"*"}, Active: true}
		require.NoError(t, store.CreateWebhook(t.Context(), &webhook, secret))
	}
	return store
}

func publish(t *testing.T, d *dispatch.Dispatcher) models.Published {
	t.Helper()
	published, err := d.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`)})
	require.NoError(t, err)
	return published
}

func TestPublishStartsAWorkflowForEachDelivery(t *testing.T) {
	t.Parallel()
	for _, webhooks := range []int{0, 1, 100} {
		t.Run(fmt.Sprint(webhooks), func(t *testing.T) {
			t.Parallel()
			temporal := mocks.NewClient(t)
			started := make(chan string, webhooks)
			if webhooks > 0 {
				temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, contract.TypeDelivery, mock.Anything).
					Run(func(args mock.Arguments) {
						options, _ := args.Get(1).(client.StartWorkflowOptions)
						input, _ := args.Get(3).(contract.DeliveryInput)
						if options.ID == input.DeliveryID && options.StaticSummary == "order.created → x.test" {
							started <- options.ID
						}
					}).Return(nil, nil)
			}
			d := dispatch.New(newStore(t, webhooks), temporal, slog.New(slog.DiscardHandler))
			published := publish(t, d)
			d.Close()
			close(started)
			var want, got []string
			for _, delivery := range published.Deliveries {
				want = append(want, delivery.ID)
			}
			for id := range started {
				got = append(got, id)
			}
			require.ElementsMatch(t, want, got)
		})
	}
}

func TestPublishLeavesManyDeliveriesToAFanOut(t *testing.T) {
	t.Parallel()
	temporal := mocks.NewClient(t)
	temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, contract.TypeFanOut, mock.Anything).Return(nil, nil).Once()
	d := dispatch.New(newStore(t, 101), temporal, slog.New(slog.DiscardHandler))
	require.Len(t, publish(t, d).Deliveries, 101)
	d.Close()
}

func TestPublishSucceedsWithoutTemporal(t *testing.T) {
	t.Parallel()
	temporal := mocks.NewClient(t)
	temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, errNoAnswer)
	store := newStore(t, 1)
	d := dispatch.New(store, temporal, slog.New(slog.DiscardHandler))
	id := publish(t, d).Deliveries[0].ID
	d.Close()
	pending, err := store.PendingDeliveries(t.Context(), store.Now(), "", 10)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.Equal(t, id, pending[0].ID)
}

func TestPublishBehindCloseIsLeftToTheSweep(t *testing.T) {
	t.Parallel()
	d := dispatch.New(newStore(t, 1), mocks.NewClient(t), slog.New(slog.DiscardHandler))
	d.Close()
	require.Len(t, publish(t, d).Deliveries, 1)
}

func TestResendNeedsAnActiveWebhook(t *testing.T) {
	t.Parallel()
	store := newStore(t, 1)
	published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
	require.NoError(t, err)
	delivery := published.Deliveries[0]
	d := dispatch.New(store, mocks.NewClient(t), slog.New(slog.DiscardHandler))
	t.Cleanup(d.Close)
	_, err = store.UpdateWebhook(t.Context(), models.Scope{}, delivery.WebhookID, func(w *models.Webhook) error {
		w.Active = false
		return nil
	})
	require.NoError(t, err)
	require.ErrorIs(t, d.Resend(t.Context(), delivery, "key"), dispatch.ErrWebhookInactive)
	require.NoError(t, store.DeleteWebhook(t.Context(), models.Scope{}, delivery.WebhookID))
	require.ErrorIs(t, d.Resend(t.Context(), delivery, "key"), dispatch.ErrWebhookInactive)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		temporal error
		want     error
		status   models.Status
	}{
		"a workflow that runs":   {nil, nil, models.StatusPending}, // the workflow records it
		"without a workflow":     {serviceerror.NewNotFound("none"), nil, models.StatusCancelled},
		"while Temporal is away": {errNoAnswer, dispatch.ErrTemporalUnavailable, models.StatusPending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t, 1)
			published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
			require.NoError(t, err)
			delivery := published.Deliveries[0]
			temporal := mocks.NewClient(t)
			running := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
				Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, Execution: &commonpb.WorkflowExecution{RunId: "run"},
			}}
			temporal.On("DescribeWorkflowExecution", mock.Anything, delivery.ID, "").Return(running, test.temporal)
			if test.temporal == nil {
				temporal.On("CancelWorkflow", mock.Anything, delivery.ID, "run").Return(nil).Once()
			}
			d := dispatch.New(store, temporal, slog.New(slog.DiscardHandler))
			t.Cleanup(d.Close)
			require.ErrorIs(t, d.Cancel(t.Context(), delivery), test.want)
			row, err := store.Delivery(t.Context(), models.Scope{}, delivery.ID)
			require.NoError(t, err)
			require.Equal(t, test.status, row.Status)
			row.Status, row.RunID = models.StatusDelivered, "run"
			require.ErrorIs(t, d.Cancel(t.Context(), row), models.ErrFinished)
		})
	}
}
