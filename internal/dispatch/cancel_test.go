package dispatch_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/mocks"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Temporal takes a cancellation of what has ended for done. The delivery of a run that was terminated is cancelled in
// the database.
func TestCancelOfATerminatedRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{Latest: func() start.Run { return start.Run{ID: "run"} }}
		d, store, _ := setup(t, db, fake)
		defer d.Close()
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		require.NoError(t, d.Cancel(t.Context(), delivery))
		require.Equal(t, models.StatusCancelled, statusOf(t, store, delivery.ID).Status)
		require.Empty(t, fake.Cancelled)
	})
}

// The delivery ended after it was loaded, and its workflow with it.
func TestCancelThatComesTooLate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{CancelErr: serviceerror.NewNotFound("workflow execution already completed")}
		d, store, _ := setup(t, db, fake)
		defer d.Close()
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		_, err := store.RecordAttempt(t.Context(), models.Outcome{
			Attempt: models.Attempt{
				ID: typeid.New(typeid.KindAttempt, store.Now()), DeliveryID: delivery.ID, Number: 1,
				Trigger: models.TriggerSchedule, StartedAt: store.Now(),
			},
			Status: models.StatusDelivered,
		})
		require.NoError(t, err)
		require.ErrorIs(t, d.Cancel(t.Context(), delivery), models.ErrFinished)
		require.Equal(t, []string{delivery.ID}, fake.Cancelled)
		require.Equal(t, models.StatusDelivered, statusOf(t, store, delivery.ID).Status)
	})
}

// A second cancellation takes back what was asked for since the first one; when that has led to another run already,
// it cancels that.
func TestCancelTakesBackAResend(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{Latest: func() start.Run { return start.Run{ID: "one", Running: true, Cancelled: true} }}
		d, store, _ := setup(t, db, fake)
		defer d.Close()
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		require.NoError(t, d.Cancel(t.Context(), delivery))
		withdrawn := dispatchtest.Signalled{ID: delivery.ID, Run: "one", Name: contract.SignalResend, Argument: contract.ResendSignal{Withdrawn: true}}
		require.Equal(t, []dispatchtest.Signalled{withdrawn}, fake.Signals)
		require.Empty(t, fake.Cancelled)

		fake.SignalErr = map[string]error{delivery.ID: serviceerror.NewNotFound("ended")}
		fake.Latest = func() start.Run {
			if len(fake.Signals) == 1 {
				return start.Run{ID: "one", Running: true, Cancelled: true}
			}
			return start.Run{ID: "two", Running: true}
		}
		require.NoError(t, d.Cancel(t.Context(), delivery))
		require.Equal(t, []dispatchtest.Signalled{withdrawn, withdrawn}, fake.Signals)
		require.Equal(t, []string{delivery.ID + "two"}, fake.Cancelled)
	})
}

// A delivery that has ended can be cancelled while the run that someone has asked for has made no attempt yet.
func TestCancelOfAResentDelivery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run       start.Run
		cancelled bool
	}{
		"it is closing":         {start.Run{ID: "one", Running: true}, false},
		"it has ended":          {start.Run{ID: "one"}, false},
		"another run has begun": {start.Run{ID: "two", Running: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake := &dispatchtest.Temporal{Latest: func() start.Run { return test.run }}
				d, store, _ := setup(t, db, fake)
				defer d.Close()
				dispatchtest.CreateWebhook(t, store)
				delivery := dispatchtest.PublishOne(t, store)
				delivery.Status, delivery.RunID = models.StatusDelivered, "one"
				err := d.Cancel(t.Context(), delivery)
				if !test.cancelled {
					require.ErrorIs(t, err, models.ErrFinished)
					require.Empty(t, fake.Cancelled)
					return
				}
				require.NoError(t, err)
				require.Equal(t, []string{delivery.ID + "two"}, fake.Cancelled)
			})
		})
	}
}

// A delivery that was given up and holds the queue of its webhook is cancelled also while its run is still ending, which
// would not see a cancellation any more. What stands behind it goes on.
func TestCancelOfWhatHoldsAQueue(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"its run is closing": true, "its run has ended": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake := &dispatchtest.Temporal{Latest: func() start.Run { return start.Run{ID: "one", Running: running} }}
				d, store, _ := setup(t, db, fake)
				webhook := dispatchtest.CreateWebhook(t, store)
				_, err := store.UpdateWebhook(t.Context(), models.Scope{}, webhook.ID, func(w *models.Webhook) error {
					w.Ordered = true
					return nil
				})
				require.NoError(t, err)
				holding, behind := dispatchtest.PublishOne(t, store), dispatchtest.PublishOne(t, store)
				_, err = store.RecordAttempt(t.Context(), models.Outcome{
					Attempt: models.Attempt{
						ID: typeid.New(typeid.KindAttempt, store.Now()), DeliveryID: holding.ID, Number: 1,
						Trigger: models.TriggerSchedule, ErrorClass: models.ErrorHTTPStatus, StartedAt: store.Now(),
					},
					Status: models.StatusPermanentlyFailed, RunID: "one",
				})
				require.NoError(t, err)
				require.NoError(t, d.Cancel(t.Context(), statusOf(t, store, holding.ID)))
				require.Equal(t, models.StatusCancelled, statusOf(t, store, holding.ID).Status)
				d.Close()
				require.Empty(t, fake.Cancelled)
				require.Len(t, fake.Started, 1)
				require.Equal(t, behind.ID, fake.Started[0].Options.ID)
			})
		})
	}
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
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				store := newStore(t, db, 1)
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
				d := dispatchtest.New(store, temporal, slog.New(slog.DiscardHandler))
				t.Cleanup(d.Close)
				require.ErrorIs(t, d.Cancel(t.Context(), delivery), test.want)
				row, err := store.Delivery(t.Context(), models.Scope{}, delivery.ID)
				require.NoError(t, err)
				require.Equal(t, test.status, row.Status)
				row.Status, row.RunID = models.StatusDelivered, "run"
				require.ErrorIs(t, d.Cancel(t.Context(), row), models.ErrFinished)
			})
		})
	}
}
