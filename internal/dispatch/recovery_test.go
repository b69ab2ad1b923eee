package dispatch

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/store"
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

// withService is a client with an API below.
type withService struct {
	*fakeTemporal
	service *service
}

func (w withService) WorkflowService() workflowservice.WorkflowServiceClient { return w.service }

// newRecovery stores a recovery.
func newRecovery(t *testing.T, d *Dispatcher, store *store.Store) models.Recovery {
	t.Helper()
	recovery := models.Recovery{Since: store.Now().Add(-time.Hour), Until: store.Now(), Include: models.IncludeFailed, Rate: 10}
	require.NoError(t, d.StartRecovery(t.Context(), makeWebhook(t, store), &recovery))
	return recovery
}

func TestStartRecovery(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{}
	d, store, _ := setup(t, fake)
	recovery := newRecovery(t, d, store)
	webhook, err := store.Webhook(t.Context(), models.Scope{}, recovery.WebhookID)
	require.NoError(t, err)
	var active *models.RecoveryActiveError
	require.ErrorAs(t, d.StartRecovery(t.Context(), webhook, &models.Recovery{}), &active)
	require.Equal(t, recovery.ID, active.ID)
	webhook.Active = false
	require.ErrorIs(t, d.StartRecovery(t.Context(), webhook, &models.Recovery{}), ErrWebhookInactive)
	d.Close()
	require.Equal(t, []string{recovery.ID}, fake.ids())
	require.Equal(t, contract.TypeRecovery, fake.started[0].workflow)
	require.Equal(t, contract.RecoveryInput{RecoveryID: recovery.ID}, fake.started[0].input)

	require.NoError(t, d.StartRecoveries(t.Context(), []models.Recovery{recovery}))
	fake.start = func(context.Context, string) error {
		return serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "")
	}
	require.NoError(t, d.StartRecoveries(t.Context(), []models.Recovery{recovery}), "it runs already")
	fake.start = func(context.Context, string) error { return errAway }
	require.ErrorIs(t, d.StartRecoveries(t.Context(), []models.Recovery{recovery}), ErrTemporalUnavailable)
}

func TestSteerRecovery(t *testing.T) {
	t.Parallel()
	fake := &fakeTemporal{}
	d, store, _ := setup(t, fake)
	recovery := newRecovery(t, d, store)
	d.Close()
	fake.started = nil
	for signal, steer := range map[string]func(context.Context, models.Recovery) error{
		contract.SignalPause: d.PauseRecovery, contract.SignalResume: d.ResumeRecovery,
	} {
		fake.started, fake.start = nil, nil
		require.NoError(t, steer(t.Context(), recovery))
		require.Equal(t, []string{recovery.ID}, fake.ids())
		require.Equal(t, signal, fake.started[0].signal)
		require.Equal(t, contract.RecoveryInput{RecoveryID: recovery.ID}, fake.started[0].input, "one that was terminated begins anew")
		fake.start = func(context.Context, string) error { return errAway }
		require.ErrorIs(t, steer(t.Context(), recovery), ErrTemporalUnavailable)
	}
	fake.started, fake.start = nil, nil
	for range 3 {
		require.NoError(t, d.PauseRecovery(t.Context(), recovery))
		require.NoError(t, d.ResumeRecovery(t.Context(), recovery))
	}
	var last time.Time
	for _, call := range fake.started {
		steer, ok := call.argument.(contract.SteerSignal)
		require.True(t, ok)
		require.True(t, steer.At.After(last), "the last one that was answered holds")
		last = steer.At
	}
	fake.cancelErr = errAway
	require.ErrorIs(t, d.CancelRecovery(t.Context(), recovery), ErrTemporalUnavailable)
	fake.cancelErr = nil
	require.NoError(t, d.CancelRecovery(t.Context(), recovery))
	stored, err := store.Recovery(t.Context(), models.Scope{}, recovery.ID)
	require.NoError(t, err)
	require.Equal(t, models.RecoveryRunning, stored.Status, "its workflow has not heard of it yet")

	fake.cancelErr = serviceerror.NewNotFound("no such workflow")
	require.NoError(t, d.CancelRecovery(t.Context(), recovery))
	stored, err = store.Recovery(t.Context(), models.Scope{}, recovery.ID)
	require.NoError(t, err)
	require.Equal(t, models.RecoveryCancelled, stored.Status)
	require.Equal(t, "cancelled on request", stored.Reason)
	fake.started, fake.start = nil, nil
	for _, steer := range []func(context.Context, models.Recovery) error{d.PauseRecovery, d.ResumeRecovery, d.CancelRecovery} {
		require.ErrorIs(t, steer(t.Context(), stored), ErrRecoveryFinished)
	}
	for _, steer := range []func(context.Context, models.Recovery) error{d.PauseRecovery, d.ResumeRecovery} {
		require.ErrorIs(t, steer(t.Context(), recovery), ErrRecoveryFinished, "it ended behind the back of who asks")
	}
	require.Empty(t, fake.started)
}

func TestRecoverStartsWhatTheSDKWouldUnderARequestIDOfItsOwn(t *testing.T) {
	t.Parallel()
	below := &service{}
	d, store, _ := setup(t, &fakeTemporal{})
	d.Close()
	d.temporal = withService{&fakeTemporal{}, below}
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	delivery.Status = models.StatusPermanentlyFailed
	for range 2 {
		require.NoError(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}))
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
	below := &service{startErr: serviceerror.NewWorkflowExecutionAlreadyStarted("", "another request", "")}
	d, store, _ := setup(t, &fakeTemporal{})
	d.Close()
	d.temporal = withService{&fakeTemporal{}, below}
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	delivery.Status = models.StatusPermanentlyFailed
	require.NoError(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}))
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
	require.ErrorIs(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}), ErrTemporalUnavailable, "to be tried again")
	below.startErr = errAway
	require.ErrorIs(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}), ErrTemporalUnavailable)
	require.Len(t, below.signals, 2)
}

// A delivery that is made of a missed event has no run yet: it gets the one that the sweep would give it.
func TestRecoverStartsWhatWasMissed(t *testing.T) {
	t.Parallel()
	fake, below := &fakeTemporal{}, &service{}
	d, store, _ := setup(t, fake)
	d.Close()
	d.temporal = withService{fake, below}
	makeWebhook(t, store)
	delivery := publishOne(t, store)
	require.NoError(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}))
	require.Equal(t, []string{delivery.ID}, fake.ids())
	started := fake.started[0]
	require.Equal(t, contract.TypeDelivery, started.workflow)
	require.Equal(t, contract.DeliveryInput{DeliveryID: delivery.ID}, started.input)
	require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, started.options.WorkflowIDReusePolicy)
	require.Greater(t, started.options.Priority.PriorityKey, 3, "behind what is new")
	fake.start = func(context.Context, string) error {
		return serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "")
	}
	require.NoError(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}), "the sweep was there first")
	fake.start = func(context.Context, string) error { return errAway }
	require.ErrorIs(t, d.Recover(t.Context(), "space", "rec_x", []models.Delivery{delivery}), ErrTemporalUnavailable)
	require.Empty(t, below.starts)
	require.Empty(t, below.signals, "whoever runs it needs no second attempt")
}
