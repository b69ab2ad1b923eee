package dispatch

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// ErrRecoveryFinished says that a recovery has ended and cannot be steered any more.
var ErrRecoveryFinished = errors.New("recovery has ended")

// StartRecovery stores a recovery of an active webhook and returns when that is durable; its workflow starts
// behind it. Its errors are those of store.Store.CreateRecovery and ErrWebhookInactive.
func (d *Dispatcher) StartRecovery(ctx context.Context, webhook models.Webhook, recovery *models.Recovery) error {
	if webhook.Suspended {
		return models.ErrOwnerSuspended
	}
	if !webhook.Active {
		return ErrWebhookInactive
	}
	recovery.WebhookID, recovery.OwnerID = webhook.ID, webhook.OwnerID
	if err := d.store.CreateRecovery(ctx, recovery); err != nil {
		return err
	}
	started := *recovery
	d.starter.add(func(ctx context.Context) error { return d.startRecovery(ctx, started) })
	return nil
}

// StartRecoveries starts the workflows of recoveries; activities call it.
func (d *Dispatcher) StartRecoveries(ctx context.Context, recoveries []models.Recovery) error {
	return startAll(ctx, recoveries, d.startRecovery)
}

func (d *Dispatcher) startRecovery(ctx context.Context, recovery models.Recovery) error {
	in := contract.RecoveryInput{RecoveryID: recovery.ID}
	_, err := d.temporal.ExecuteWorkflow(ctx, contract.RecoveryOptions(recoveryToStart(recovery)), contract.TypeRecovery, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return unavailable(err)
}

// PauseRecovery holds a recovery back once the page under way is done.
func (d *Dispatcher) PauseRecovery(ctx context.Context, recovery models.Recovery) error {
	return d.signalRecovery(ctx, recovery, contract.SignalPause)
}

// ResumeRecovery lets a paused recovery go on. One whose workflow was terminated goes on in a new one.
func (d *Dispatcher) ResumeRecovery(ctx context.Context, recovery models.Recovery) error {
	return d.signalRecovery(ctx, recovery, contract.SignalResume)
}

// signalRecovery tells a recovery's workflow what is asked for, and when that was in the order of all such requests.
func (d *Dispatcher) signalRecovery(ctx context.Context, recovery models.Recovery, signal string) error {
	recovery, err := d.store.TouchRecovery(ctx, recovery.ID)
	switch {
	case err != nil:
		return err
	case recovery.Status.Finished():
		return ErrRecoveryFinished
	}
	_, err = d.temporal.SignalWithStartWorkflow(ctx, recovery.ID, signal, contract.SteerSignal{At: recovery.UpdatedAt.UTC()},
		contract.RecoveryOptions(recoveryToStart(recovery)), contract.TypeRecovery, contract.RecoveryInput{RecoveryID: recovery.ID})
	return unavailable(err)
}

// CancelRecovery ends a recovery once the page under way is done. What it has resent stays resent.
func (d *Dispatcher) CancelRecovery(ctx context.Context, recovery models.Recovery) error {
	if recovery.Status.Finished() {
		return ErrRecoveryFinished
	}
	err := d.temporal.CancelWorkflow(ctx, recovery.ID, "")
	var notRunning *serviceerror.NotFound
	if errors.As(err, &notRunning) {
		recovery, err := d.store.SetRecoveryStatus(ctx, recovery.ID, models.RecoveryCancelled, cancelledOnRequest)
		if err == nil && recovery.Status == models.RecoveryCompleted {
			err = ErrRecoveryFinished // meanwhile
		}
		return err
	}
	return unavailable(err)
}

// Recover starts deliveries for a recovery; activities call it. Those that have ended are started anew, those that
// were made of missed events for the first time. Asking again starts nothing twice: a first run has the delivery's
// ID, and with other runs Temporal keeps the request's ID, which is made of the recovery and the delivery, also when
// the run that it led to has ended.
func (d *Dispatcher) Recover(ctx context.Context, namespace, recoveryID string, deliveries []models.Delivery) error {
	return startAll(ctx, deliveries, func(ctx context.Context, delivery models.Delivery) error {
		if delivery.Status == models.StatusPending {
			return d.startFirst(ctx, contract.MissedOptions(toStart(delivery)))
		}
		request, err := recoverRequest(namespace, recoveryID, delivery)
		if err != nil {
			return err
		}
		_, err = d.temporal.WorkflowService().StartWorkflowExecution(ctx, request)
		var running *serviceerror.WorkflowExecutionAlreadyStarted
		if errors.As(err, &running) {
			// Its last run is about to end, or someone has just resent it.
			err = d.signalRunning(ctx, request)
		}
		return unavailable(err)
	})
}

// signalRunning asks the run that there is for one more attempt, once.
func (d *Dispatcher) signalRunning(ctx context.Context, start *workflowservice.StartWorkflowExecutionRequest) error {
	input, err := converter.GetDefaultDataConverter().ToPayloads(contract.ResendSignal{RequestedBy: start.GetIdentity()})
	if err != nil {
		return err
	}
	_, err = d.temporal.WorkflowService().SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace:         start.GetNamespace(),
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: start.GetWorkflowId()},
		SignalName:        contract.SignalResend,
		Input:             input,
		Identity:          start.GetIdentity(),
		RequestId:         start.GetRequestId(),
	})
	return err
}

// recoverRequest is what the SDK would make of the options, with the request's ID, which it does not let its
// callers choose.
func recoverRequest(namespace, recoveryID string, delivery models.Delivery) (*workflowservice.StartWorkflowExecutionRequest, error) {
	options := contract.RecoverOptions(toStart(delivery))
	data := converter.GetDefaultDataConverter()
	input, err := data.ToPayloads(contract.DeliveryInput{DeliveryID: delivery.ID, RecoveryID: recoveryID})
	if err != nil {
		return nil, err
	}
	summary, err := data.ToPayload(options.StaticSummary)
	if err != nil {
		return nil, err
	}
	attributes, err := searchAttributes(options)
	if err != nil {
		return nil, err
	}
	return &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                namespace,
		WorkflowId:               options.ID,
		WorkflowType:             &commonpb.WorkflowType{Name: contract.TypeDelivery},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: options.TaskQueue},
		Input:                    input,
		Identity:                 recoveryID,
		RequestId:                recoveryID + "/" + delivery.ID,
		WorkflowIdReusePolicy:    options.WorkflowIDReusePolicy,
		WorkflowIdConflictPolicy: options.WorkflowIDConflictPolicy,
		SearchAttributes:         attributes,
		Priority: &commonpb.Priority{
			PriorityKey: int32(options.Priority.PriorityKey), FairnessKey: options.Priority.FairnessKey,
		},
		UserMetadata: &sdkpb.UserMetadata{Summary: summary},
	}, nil
}

func searchAttributes(options client.StartWorkflowOptions) (*commonpb.SearchAttributes, error) {
	fields := map[string]*commonpb.Payload{}
	for key, value := range options.TypedSearchAttributes.GetUntypedValues() {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			return nil, err
		}
		payload.Metadata["type"] = []byte(key.GetValueType().String())
		fields[key.GetName()] = payload
	}
	return &commonpb.SearchAttributes{IndexedFields: fields}, nil
}
