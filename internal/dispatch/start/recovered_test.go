package start_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// service takes the place of Temporal's API below its client.
type service struct {
	workflowservice.WorkflowServiceClient
	startErr, signalErr error

	mu      sync.Mutex
	starts  []*workflowservice.StartWorkflowExecutionRequest
	signals []*workflowservice.SignalWorkflowExecutionRequest
}

func (s *service) StartWorkflowExecution(_ context.Context, request *workflowservice.StartWorkflowExecutionRequest, _ ...grpc.CallOption) (*workflowservice.StartWorkflowExecutionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = append(s.starts, request)
	return nil, s.startErr
}

func (s *service) SignalWorkflowExecution(_ context.Context, request *workflowservice.SignalWorkflowExecutionRequest, _ ...grpc.CallOption) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signals = append(s.signals, request)
	return nil, s.signalErr
}

func TestRecoverStartsWhatTheSDKWouldUnderARequestIDOfItsOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		below := &service{}
		starter, store := setup(t, db, &dispatchtest.Temporal{Service: below})
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		delivery.Status = models.StatusPermanentlyFailed
		for range 2 {
			require.NoError(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}))
		}
		require.Len(t, below.starts, 2)
		require.Empty(t, below.signals)
		require.Equal(t, below.starts[0].GetRequestId(), below.starts[1].GetRequestId(), "asking again is the same request")
		request := below.starts[0]
		require.Equal(t, "rec_x/"+delivery.ID, request.GetRequestId())
		require.Equal(t, "space", request.GetNamespace())
		require.Equal(t, delivery.ID, request.GetWorkflowId())
		require.Equal(t, contract.TypeDelivery, request.GetWorkflowType().GetName())
		require.Equal(t, contract.TaskQueue, request.GetTaskQueue().GetName())
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, request.GetWorkflowIdReusePolicy())
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, request.GetWorkflowIdConflictPolicy())
		var in contract.DeliveryInput
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(request.GetInput(), &in))
		require.Equal(t, contract.DeliveryInput{DeliveryID: delivery.ID, RecoveryID: "rec_x"}, in)
		require.Equal(t, "order.paid → example.com", decode(t, request.GetUserMetadata().GetSummary()))
		attributes := map[string]string{}
		for name, payload := range request.GetSearchAttributes().GetIndexedFields() {
			require.Equal(t, "Keyword", string(payload.GetMetadata()["type"]))
			attributes[name] = decode(t, payload)
		}
		require.Equal(t, map[string]string{
			"PostriderEvent": "order.paid", "PostriderWebhook": delivery.WebhookID, "PostriderOwner": delivery.OwnerID,
		}, attributes)
	})
}

func decode(t *testing.T, payload *commonpb.Payload) string {
	t.Helper()
	var text string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(payload, &text))
	return text
}

// A delivery that has just failed for good may have a run that is about to end: a signal makes it go on.
func TestRecoverSignalsARunOfSomeoneElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		below := &service{startErr: serviceerror.NewWorkflowExecutionAlreadyStarted("", "another request", "")}
		starter, store := setup(t, db, &dispatchtest.Temporal{Service: below})
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		delivery.Status = models.StatusPermanentlyFailed
		require.NoError(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}))
		require.Len(t, below.signals, 1)
		signal := below.signals[0]
		require.Equal(t, "space", signal.GetNamespace())
		require.Equal(t, delivery.ID, signal.GetWorkflowExecution().GetWorkflowId())
		require.Equal(t, contract.SignalResend, signal.GetSignalName())
		require.Equal(t, below.starts[0].GetRequestId(), signal.GetRequestId())
		var argument contract.ResendSignal
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(signal.GetInput(), &argument))
		require.Equal(t, contract.ResendSignal{RequestedBy: "rec_x"}, argument)

		below.signalErr = serviceerror.NewNotFound("it has ended")
		require.ErrorIs(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}), start.ErrTemporalUnavailable, "to be tried again")
		below.startErr = dispatchtest.ErrAway
		require.ErrorIs(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}), start.ErrTemporalUnavailable)
		require.Len(t, below.signals, 2)
	})
}

// A delivery that is made of a missed event has no run yet: it gets the one that the sweep would give it.
func TestRecoverStartsWhatWasMissed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		below := &service{}
		fake := &dispatchtest.Temporal{Service: below}
		starter, store := setup(t, db, fake)
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		require.NoError(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}))
		require.Equal(t, []string{delivery.ID}, fake.IDs())
		started := fake.Started[0]
		require.Equal(t, contract.TypeDelivery, started.Workflow)
		require.Equal(t, contract.DeliveryInput{DeliveryID: delivery.ID}, started.Input)
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, started.Options.WorkflowIDReusePolicy)
		require.Greater(t, started.Options.Priority.PriorityKey, 3, "behind what is new")
		fake.OnStart = func(context.Context, string) error {
			return serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "")
		}
		require.NoError(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}), "the sweep was there first")
		fake.OnStart = func(context.Context, string) error { return dispatchtest.ErrAway }
		require.ErrorIs(t, starter.StartRecovered(t.Context(), "space", "rec_x", []models.Delivery{delivery}), start.ErrTemporalUnavailable)
		require.Empty(t, below.starts)
		require.Empty(t, below.signals, "whoever runs it needs no second attempt")
	})
}
