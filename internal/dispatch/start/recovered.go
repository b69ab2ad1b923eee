package start

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

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// StartRecovered starts deliveries for a recovery. Those that have ended get another run, those that were made of
// missed events their first. Asking again starts nothing twice: a first run has the delivery's ID, and with other runs
// Temporal keeps the request's ID, which is made of the recovery and the delivery, also when the run that it led to has
// ended. Those in the queue of an ordered webhook are the first of it.
func (s *Starter) StartRecovered(ctx context.Context, namespace, recoveryID string, deliveries []models.Delivery) error {
	return Each(ctx, deliveries, func(ctx context.Context, delivery models.Delivery) error {
		if delivery.Queued() {
			return s.Wake(ctx, delivery)
		}
		if delivery.Status == models.StatusPending {
			return s.startFirst(ctx, firstOptions(delivery, contract.MissedOptions(ofDelivery(delivery))))
		}
		request, err := recoverRequest(namespace, recoveryID, delivery)
		if err != nil {
			return err
		}
		_, err = s.temporal.WorkflowService().StartWorkflowExecution(ctx, request)
		var running *serviceerror.WorkflowExecutionAlreadyStarted
		if errors.As(err, &running) {
			// Its last run is about to end, or someone has just resent it.
			err = s.signalRunning(ctx, request)
		}
		return Unavailable(err)
	})
}

// signalRunning asks the run that there is for one more attempt, once.
func (s *Starter) signalRunning(ctx context.Context, start *workflowservice.StartWorkflowExecutionRequest) error {
	input, err := converter.GetDefaultDataConverter().ToPayloads(contract.ResendSignal{RequestedBy: start.GetIdentity()})
	if err != nil {
		return err
	}
	_, err = s.temporal.WorkflowService().SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
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
	options := contract.RecoverOptions(ofDelivery(delivery))
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
