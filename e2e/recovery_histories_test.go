package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// namespace is the embedded server's.
const namespace = "default"

// exhausted publishes an event to a receiver that refuses it, and waits for the end of its delivery.
func (p *inProcess) exhausted(t *testing.T, target *receiver) models.Delivery {
	t.Helper()
	delivery := p.deliveryTo(t, target)
	require.Error(t, begin(t, p.skipping, delivery).Get(t.Context(), nil))
	p.awaitStatus(t, delivery, models.StatusPermanentlyFailed)
	ended, err := p.store.Delivery(t.Context(), models.Scope{}, delivery.ID)
	require.NoError(t, err)
	return ended
}

// TestRecoverStartsOnce asks a real server again and again for the same resend: while it runs, when it has
// ended, and for a delivery that runs anyway.
func TestRecoverStartsOnce(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, nil)
	const recoveryID = "rec_01m85g2jgxe2xatkthx700jqn8"
	ask := func(delivery models.Delivery) {
		t.Helper()
		require.NoError(t, p.starter.StartRecovered(t.Context(), namespace, recoveryID, []models.Delivery{delivery}))
	}
	const scheduled = 6 // attempts of the schedule

	gate := newGate(t)
	target := newReceiver(t, gate.holding(scheduled+1, failFirst(scheduled, http.StatusInternalServerError)))
	delivery := p.exhausted(t, target)
	ask(delivery)
	target.await(t, scheduled+1)
	ask(delivery)
	gate.open()
	awaitWorkflow(t, p.plain, delivery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	ask(delivery)
	awaitWorkflow(t, p.plain, delivery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	require.Equal(t, scheduled+1, target.count())
	made, err := p.store.Attempts(t.Context(), delivery.ID)
	require.NoError(t, err)
	require.Equal(t, models.TriggerResend, made[scheduled].Trigger)
	eventually(t, func() bool { return len(find(t, p.plain, "WorkflowId = '"+delivery.ID+"'")) == 2 }, "there are other runs than two")

	// Someone's resend is under way: the recovery's is one more attempt of the same run.
	busy := newGate(t)
	target = newReceiver(t, busy.holding(scheduled+1, always(http.StatusInternalServerError)))
	delivery = p.exhausted(t, target)
	require.NoError(t, p.dispatcher.Resend(t.Context(), delivery, "test"))
	target.await(t, scheduled+1)
	ask(delivery)
	ask(delivery)
	busy.open()
	target.await(t, scheduled+2)
	eventually(t, func() bool {
		row, err := p.store.Delivery(t.Context(), models.Scope{}, delivery.ID)
		require.NoError(t, err)
		return row.AttemptCount == scheduled+2
	}, "the attempts are not recorded")
	signals := 0
	for _, event := range historyOf(t, p.plain, delivery.ID, "").GetEvents() {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			signals++
		}
	}
	require.Equal(t, 2, signals, "one of the resend and one of the recovery")
	require.NoError(t, p.plain.CancelWorkflow(t.Context(), delivery.ID, ""))
}

// TestRecordRecoveryHistories makes a recovery take its ways on a real server that suggests early to continue
// as new. With -update-histories it keeps what Temporal recorded, as TestRecordHistories does.
func TestRecordRecoveryHistories(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, map[string]any{"limit.historyCount.suggestContinueAsNew": 30})
	target := newReceiver(t, func(int, *http.Request) answer { return answer{status: http.StatusGone} })
	delivery := p.exhausted(t, target) // at once: the receiver is gone
	target = newReceiver(t, always(http.StatusOK))
	webhook, err := p.store.UpdateWebhook(t.Context(), models.Scope{}, delivery.WebhookID, func(w *models.Webhook) error {
		w.Active, w.DisabledReason, w.URL = true, "", target.url
		return nil
	})
	require.NoError(t, err)
	const deliveries = 6
	for range deliveries - 1 {
		published, err := p.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: webhook.OwnerID})
		require.NoError(t, err)
		_, err = p.store.RecordAttempt(t.Context(), models.Outcome{Status: models.StatusPermanentlyFailed, Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, time.Now()), DeliveryID: published.Deliveries[0].ID, Number: 1, StartedAt: time.Now().UTC(),
		}})
		require.NoError(t, err)
	}
	start := func(include models.Include) models.Recovery {
		recovery := models.Recovery{
			Since: time.Now().Add(-time.Hour).UTC(), Until: time.Now().Add(time.Hour).UTC(), Include: include, Rate: 1,
		}
		require.NoError(t, p.dispatcher.Recover(t.Context(), webhook, &recovery))
		p.awaitRecovery(t, recovery.ID, func(r models.Recovery) bool { return r.Resent >= 1 })
		return recovery
	}
	recovery := start(models.IncludeFailed)
	require.NoError(t, p.dispatcher.PauseRecovery(t.Context(), recovery))
	p.awaitRecovery(t, recovery.ID, func(r models.Recovery) bool { return r.Status == models.RecoveryPaused })
	require.NoError(t, p.dispatcher.ResumeRecovery(t.Context(), recovery))
	awaitWorkflow(t, p.plain, recovery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	target.await(t, deliveries)
	var continued []run
	eventually(t, func() bool {
		continued = find(t, p.plain, "WorkflowId = '"+recovery.ID+"' AND ExecutionStatus = 'ContinuedAsNew'")
		return len(continued) > 0
	}, "it never continued as new")
	p.keepHistory(t, "recovery-paused-and-continued", recovery.ID, continued[len(continued)-1].runID)
	p.keepHistory(t, "recovery-completed", recovery.ID, "")

	recovery = start(models.IncludeAll)
	require.NoError(t, p.dispatcher.CancelRecovery(t.Context(), recovery))
	awaitWorkflow(t, p.plain, recovery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	p.awaitRecovery(t, recovery.ID, func(r models.Recovery) bool { return r.Status == models.RecoveryCancelled })
	p.keepHistory(t, "recovery-cancelled", recovery.ID, "")
}

func (p *inProcess) awaitRecovery(t *testing.T, id string, condition func(models.Recovery) bool) {
	t.Helper()
	eventually(t, func() bool {
		row, err := p.store.Recovery(t.Context(), models.Scope{}, id)
		require.NoError(t, err)
		return condition(row)
	}, "recovery %s does not get there", id)
}
