package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
)

// Inbound publishes what a provider sent as an event, and starts its deliveries. The provider has had its
// answer: from here on nothing may be lost.
func Inbound(ctx workflow.Context, in contract.InboundInput) error {
	input := activities.ProcessInput{InboundEventID: in.InboundEventID}
	var result activities.ProcessResult
	err := workflow.ExecuteLocalActivity(withFirstProcessOptions(ctx), do.ProcessInbound, input).Get(ctx, &result)
	if err != nil && !final(err) {
		err = workflow.ExecuteActivity(withDatabaseOptions(ctx), do.ProcessInbound, input).Get(ctx, &result)
	}
	if err != nil || result.Deliveries == 0 {
		return err
	}
	return startDeliveriesOf(ctx, result.EventID)
}

// startDeliveriesOf starts an event's deliveries here, or hands over to a FanOut when there are many.
func startDeliveriesOf(ctx workflow.Context, eventID string) error {
	last, err := startPending(ctx, activities.StartInput{EventID: eventID})
	if err != nil || last == "" {
		return err
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: contract.FanOutOptions(eventID).ID})
	return workflow.ExecuteChildWorkflow(ctx, FanOut, contract.FanOutInput{EventID: eventID, After: last}).Get(ctx, nil)
}
