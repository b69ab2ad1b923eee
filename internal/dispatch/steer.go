package dispatch

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// cancelledOnRequest is the reason of a delivery that an API call cancels.
const cancelledOnRequest = "cancelled on request"

// run is what Temporal knows of a workflow's latest run.
type latestRun struct {
	id string
	// running says that it has not ended, cancelled that it was told to.
	running, cancelled bool
}

// latestRun finds a workflow's latest run; one that never ran does not run.
func (d *Dispatcher) latestRun(ctx context.Context, workflowID string) (latestRun, error) {
	description, err := d.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return latestRun{}, nil
	}
	if err != nil {
		return latestRun{}, unavailable(err)
	}
	info := description.GetWorkflowExecutionInfo()
	return latestRun{
		id:        info.GetExecution().GetRunId(),
		running:   info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		cancelled: description.GetWorkflowExtendedInfo().GetCancelRequested(),
	}, nil
}

// Resend has a delivery tried now: a waiting one by a signal, a finished one by a new run with the full
// schedule. requestedBy is shown in the workflow's history.
func (d *Dispatcher) Resend(ctx context.Context, delivery models.Delivery, requestedBy string) error {
	webhook, err := d.store.Webhook(ctx, models.Scope{}, delivery.WebhookID)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return ErrWebhookDeleted
	case err != nil:
		return err
	case webhook.Suspended:
		return models.ErrOwnerSuspended
	case !webhook.Active && !delivery.Test:
		return ErrWebhookInactive
	}
	// The first attempt, which this process makes without a workflow, is not to meet another one: two would have the
	// number 1.
	if d.direct != nil && d.direct.after(delivery.ID, func() {
		d.starter.add(func(ctx context.Context) error { return d.resend(ctx, delivery, requestedBy) })
	}) {
		return nil
	}
	return d.resend(ctx, delivery, requestedBy)
}

func (d *Dispatcher) resend(ctx context.Context, delivery models.Delivery, requestedBy string) error {
	run, err := d.latestRun(ctx, delivery.ID)
	if err != nil {
		return err
	}
	signal := contract.ResendSignal{RequestedBy: requestedBy, BeforeCancel: run.running && !run.cancelled}
	_, err = d.temporal.SignalWithStartWorkflow(ctx, delivery.ID, contract.SignalResend, signal,
		contract.ResendOptions(toStart(delivery)), contract.TypeDelivery, contract.DeliveryInput{DeliveryID: delivery.ID})
	return unavailable(err)
}

// Cancel stops a delivery that waits. An attempt under way is finished first, and counts when it succeeds.
// One that has ended is models.ErrFinished.
func (d *Dispatcher) Cancel(ctx context.Context, delivery models.Delivery) error {
	for {
		run, err := d.latestRun(ctx, delivery.ID)
		if delivery.Status.Finished() && !resentSince(delivery, run) {
			return models.ErrFinished
		}
		if err != nil {
			return err
		}
		if run.running {
			err = d.cancelRun(ctx, delivery.ID, run)
		} else {
			err = d.store.CancelDelivery(ctx, delivery.ID, cancelledOnRequest)
		}
		var ended *serviceerror.NotFound
		if !run.running || !errors.As(err, &ended) {
			return err
		}
	}
}

// resentSince says that someone has asked for another attempt of a delivery that had ended, which is not made yet.
func resentSince(delivery models.Delivery, run latestRun) bool {
	return run.running && (run.cancelled || run.id != delivery.RunID)
}

// cancelRun cancels a run. One that was cancelled before may have been asked for another attempt since then, which
// is taken back.
func (d *Dispatcher) cancelRun(ctx context.Context, deliveryID string, run latestRun) error {
	if run.cancelled {
		return unavailable(d.temporal.SignalWorkflow(ctx, deliveryID, run.id, contract.SignalResend, contract.ResendSignal{Withdrawn: true}))
	}
	return unavailable(d.temporal.CancelWorkflow(ctx, deliveryID, run.id))
}

// WebhookChanged tells what waits for a webhook that it was changed, where that may end the wait. It is told in the
// background, by a workflow; what is never told asks by itself after a while.
func (d *Dispatcher) WebhookChanged(before, now models.Webhook) {
	letsGo, retries := now.LetsGo(before)
	if !letsGo {
		return
	}
	in := contract.NewReleaseInput(now.ID, retries)
	options := contract.ReleaseOptions(now.ID)
	d.starter.add(func(ctx context.Context) error {
		_, err := d.temporal.SignalWithStartWorkflow(ctx, options.ID, contract.SignalRelease, in, options, contract.TypeRelease, in)
		return unavailable(err)
	})
}

// Release tells the workflows of deliveries that a setting of their webhook was changed; activities call it.
func (d *Dispatcher) Release(ctx context.Context, deliveryIDs []string, signal contract.ReleaseSignal) error {
	return startAll(ctx, deliveryIDs, func(ctx context.Context, id string) error {
		err := d.temporal.SignalWorkflow(ctx, id, "", contract.SignalRelease, signal)
		var notRunning *serviceerror.NotFound
		if errors.As(err, &notRunning) {
			return nil
		}
		return unavailable(err)
	})
}
