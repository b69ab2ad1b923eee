package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// resendWhileWaiting asks for an attempt in the middle of a long wait, which is made at once.
func resendWhileWaiting(t *testing.T, p *installation) {
	target := newReceiver(t, failFirst(1, http.StatusInternalServerError))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
	id := p.send(t, owner, object{})
	waiting := p.await(t, id, "failed")
	require.NotNil(t, waiting.NextAttemptAt)

	p.resend(t, id)
	shown := p.await(t, id, "delivered")
	require.Equal(t, []string{"schedule", "resend"}, shown.triggers())
	require.Nil(t, shown.NextAttemptAt)
	requests := target.all()
	require.Equal(t, []string{"1", "2"}, attempts(requests))
	requireSameDelivery(t, id, requests)

	temporal := p.dial(t)
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	require.Equal(t, *waiting.Workflow.RunID, *shown.Workflow.RunID, "the waiting run made the attempt")
}

// resendAfterEnd gives a delivery that failed for good the full schedule again, in a run of its own.
func resendAfterEnd(t *testing.T, p *installation) {
	target := newReceiver(t, failFirst(5, http.StatusBadGateway))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s", "1s"}})
	id := p.send(t, owner, object{})
	first := p.await(t, id, "permanently_failed")
	require.Equal(t, []string{"schedule", "schedule", "schedule"}, first.triggers())
	temporal := p.dial(t)
	// A resend that comes before the workflow has ended is made by the same run.
	awaitWorkflow(t, temporal, id, *first.Workflow.RunID, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)

	p.resend(t, id)
	shown := p.await(t, id, "delivered")
	require.Equal(t, []string{"schedule", "schedule", "schedule", "resend", "schedule", "schedule"}, shown.triggers())
	require.NotEqual(t, *first.Workflow.RunID, *shown.Workflow.RunID)
	requests := target.all()
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6"}, attempts(requests))
	requireSameDelivery(t, id, requests)

	awaitWorkflow(t, temporal, id, *shown.Workflow.RunID, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
}

// resendByTemporalAlone knows nothing but the delivery's ID and speaks to Temporal only, as a person at the
// Web UI or the command line does.
func resendByTemporalAlone(t *testing.T, p *installation) {
	target := newReceiver(t, failFirst(2, http.StatusInternalServerError))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
	id := p.send(t, owner, object{})
	waiting := p.await(t, id, "failed")
	temporal := p.dial(t)
	signalWithStart := func() {
		_, err := temporal.SignalWithStartWorkflow(t.Context(), id, "resend", nil,
			client.StartWorkflowOptions{TaskQueue: "deliveries"}, "Delivery", map[string]string{"delivery_id": id})
		require.NoError(t, err)
	}

	signalWithStart()
	target.await(t, 2)
	eventually(t, func() bool { return p.delivery(t, id).AttemptCount == 2 }, "the second attempt is not recorded")
	require.Equal(t, "failed", p.delivery(t, id).Status, "the rest of the wait follows a failed extra attempt")
	signalWithStart()
	first := p.await(t, id, "delivered")
	require.Equal(t, *waiting.Workflow.RunID, *first.Workflow.RunID)
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)

	signalWithStart()
	target.await(t, 4)
	eventually(t, func() bool { return p.delivery(t, id).AttemptCount == 4 }, "the fourth attempt is not recorded")
	shown := p.delivery(t, id)
	require.Equal(t, "delivered", shown.Status)
	require.Equal(t, []string{"schedule", "resend", "resend", "resend"}, shown.triggers())
	requireSameDelivery(t, id, target.all())
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	require.NotEqual(t, *first.Workflow.RunID, *shown.Workflow.RunID)
}

// cancelWhileWaiting stops a delivery through the API; it can be resent all the same.
func cancelWhileWaiting(t *testing.T, p *installation) {
	target := newReceiver(t, failFirst(1, http.StatusInternalServerError))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
	id := p.send(t, owner, object{})
	waiting := p.await(t, id, "failed")
	temporal := p.dial(t)
	requireStatusQuery(t, temporal, id)

	p.call(t, http.MethodPost, "/api/deliveries/"+id+"/cancel", nil, http.StatusAccepted, nil)
	cancelled := p.await(t, id, "cancelled")
	require.NotEmpty(t, *cancelled.CancelReason)
	require.Nil(t, cancelled.NextAttemptAt)
	awaitWorkflow(t, temporal, id, *waiting.Workflow.RunID, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	require.Equal(t, 1, target.count())

	var again problem
	p.call(t, http.MethodPost, "/api/deliveries/"+id+"/cancel", nil, http.StatusConflict, &again)
	require.Equal(t, "delivery_finished", again.Code)

	p.resend(t, id)
	shown := p.await(t, id, "delivered")
	require.Nil(t, shown.CancelReason)
	require.Equal(t, 2, target.count())
}

// requireStatusQuery asks a waiting delivery's workflow how it is, as the Web UI does.
func requireStatusQuery(t *testing.T, temporal client.Client, id string) {
	t.Helper()
	answer, err := temporal.QueryWorkflow(t.Context(), id, "", "status")
	require.NoError(t, err)
	var status struct {
		DeliveryID string `json:"delivery_id"`
		Status     string `json:"status"`
		Attempts   int    `json:"attempts"`
		Retry      int    `json:"retry"`
		Retries    int    `json:"retries"`
	}
	require.NoError(t, answer.Get(&status))
	require.Equal(t, id, status.DeliveryID)
	require.Equal(t, "failed", status.Status)
	require.Equal(t, 1, status.Attempts)
	require.Equal(t, 1, status.Retry)
	require.Equal(t, 1, status.Retries)
}

// webhookPaused pauses a webhook before a retry: the retry is not made, and a resend is refused.
func webhookPaused(t *testing.T, p *installation) {
	id := changeBeforeRetry(t, p, func(hook webhook) {
		p.call(t, http.MethodPatch, "/api/webhooks/"+hook.ID, object{"active": false}, http.StatusOK, nil)
	}, "the webhook is paused")
	var refused problem
	p.call(t, http.MethodPost, "/api/deliveries/"+id+"/resend", nil, http.StatusConflict, &refused)
	require.Equal(t, "webhook_inactive", refused.Code)
}

// webhookDeleted deletes a webhook before a retry.
func webhookDeleted(t *testing.T, p *installation) {
	changeBeforeRetry(t, p, func(hook webhook) {
		p.call(t, http.MethodDelete, "/api/webhooks/"+hook.ID, nil, http.StatusNoContent, nil)
	}, "the webhook was deleted")
}

// changeBeforeRetry changes a webhook while its receiver is about to refuse the first attempt, and sees that
// the delivery ends, for the reason, instead of making the second.
func changeBeforeRetry(t *testing.T, p *installation, change func(webhook), reason string) (deliveryID string) {
	t.Helper()
	gate := newGate(t)
	target := newReceiver(t, gate.holding(1, always(http.StatusInternalServerError)))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s"}})
	id := p.send(t, owner, object{})
	target.await(t, 1)
	change(hook)
	gate.open()

	shown := p.await(t, id, "cancelled")
	require.Equal(t, reason, *shown.CancelReason)
	require.Len(t, shown.Attempts, 1)
	awaitWorkflow(t, p.dial(t), id, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	require.Equal(t, 1, target.count())
	return id
}

// receiverGone answers 410: the delivery ends at once and the webhook gets no more events.
func receiverGone(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusGone))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s"}})
	id := p.send(t, owner, object{})
	shown := p.await(t, id, "permanently_failed")
	require.Len(t, shown.Attempts, 1)
	require.Equal(t, http.StatusGone, *shown.LastStatusCode)

	var disabled webhook
	p.call(t, http.MethodGet, "/api/webhooks/"+hook.ID, nil, http.StatusOK, &disabled)
	require.False(t, disabled.Active)
	require.NotNil(t, disabled.DisabledReason)
	require.Contains(t, *disabled.DisabledReason, "410")
	require.Zero(t, p.publish(t, owner, "order.created", object{}).Deliveries)
	require.Equal(t, 1, target.count())

	temporal := p.dial(t)
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)
	require.Equal(t, "DeliveryExhausted", failureType(historyOf(t, temporal, id, "")))
}

// exhausted uses a schedule up: Temporal shows the delivery among the failed workflows.
func exhausted(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusServiceUnavailable))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s"}})
	id := p.send(t, owner, object{})
	shown := p.await(t, id, "permanently_failed")
	require.Equal(t, []string{"schedule", "schedule"}, shown.triggers())
	require.Contains(t, *shown.LastError, "503")

	temporal := p.dial(t)
	awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_FAILED)
	require.Equal(t, "DeliveryExhausted", failureType(historyOf(t, temporal, id, "")))
	awaitFound(t, temporal, id, "WorkflowType='Delivery' AND ExecutionStatus='Failed'")
	awaitFound(t, temporal, id, fmt.Sprintf("ExecutionStatus='Failed' AND PostriderWebhook='%s'", hook.ID))
}
