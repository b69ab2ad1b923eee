package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// TestRecordResendAndCancelHistories has what runs be told of changes on a real server: of an owner that is deleted, of a rate
// limit that is lifted, and of a resend behind a cancellation. With -update-histories it keeps what Temporal recorded,
// as TestRecordHistories does.
func TestRecordResendAndCancelHistories(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, nil)
	t.Run("owner-deletion", func(t *testing.T) {
		delivery := p.deliveryTo(t, newReceiver(t, always(http.StatusInternalServerError)))
		begin(t, p.plain, delivery)
		p.awaitStatus(t, delivery, models.StatusFailed)
		_, err := p.store.DeleteOwner(t.Context(), delivery.OwnerID)
		require.NoError(t, err)
		started, err := p.skipping.ExecuteWorkflow(t.Context(), contract.OwnerDeletionOptions(delivery.OwnerID),
			contract.TypeOwnerDeletion, contract.OwnerDeletion{OwnerID: delivery.OwnerID})
		require.NoError(t, err)
		var result contract.OwnerDeletion
		require.NoError(t, started.Get(t.Context(), &result))
		require.True(t, result.Done)
		require.EqualValues(t, 1, result.Cancelled)
		p.keepHistory(t, "owner-deletion", started.GetID(), "")
	})
	t.Run("release", func(t *testing.T) {
		delivery := p.deliveryTo(t, newReceiver(t, always(http.StatusOK)))
		limit := func(perSecond *float64) {
			_, err := p.store.UpdateWebhook(t.Context(), models.Scope{}, delivery.WebhookID, func(webhook *models.Webhook) error {
				webhook.RateLimit = perSecond
				return nil
			})
			require.NoError(t, err)
		}
		perSecond := 0.01
		limit(&perSecond)
		for range 2 {
			_, err := p.store.ReserveRequest(t.Context(), delivery.WebhookID, perSecond, nil)
			require.NoError(t, err)
		}
		started := begin(t, p.plain, delivery)
		eventually(t, func() bool { return len(timersOf(t, historyOf(t, p.plain, delivery.ID, ""))) > 0 }, "%s does not wait", delivery.ID)
		limit(nil)
		release, err := p.plain.ExecuteWorkflow(t.Context(), contract.ReleaseOptions(delivery.WebhookID), contract.TypeRelease,
			contract.NewReleaseInput(delivery.WebhookID, false))
		require.NoError(t, err)
		require.NoError(t, release.Get(t.Context(), nil))
		require.NoError(t, started.Get(t.Context(), nil))
		p.awaitStatus(t, delivery, models.StatusDelivered)
		p.keepHistory(t, "release", release.GetID(), "")
		p.keepHistory(t, "released", delivery.ID, "")
	})
	t.Run("cancelled-then-resent", func(t *testing.T) {
		gate := newGate(t)
		target := newReceiver(t, gate.holding(1, failFirst(1, http.StatusInternalServerError)))
		delivery := p.deliveryTo(t, target)
		started := begin(t, p.plain, delivery)
		target.await(t, 1)
		require.NoError(t, p.plain.CancelWorkflow(t.Context(), delivery.ID, ""))
		require.NoError(t, p.plain.SignalWorkflow(t.Context(), delivery.ID, "", contract.SignalResend, contract.ResendSignal{RequestedBy: "test"}))
		gate.open()
		awaitWorkflow(t, p.plain, delivery.ID, started.GetRunID(), enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW)
		awaitWorkflow(t, p.plain, delivery.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		p.awaitStatus(t, delivery, models.StatusDelivered)
		require.Equal(t, 2, target.count())
		p.keepHistory(t, "cancelled-then-resent", delivery.ID, started.GetRunID())
		p.keepHistory(t, "resent-after-cancel", delivery.ID, "")
	})
}
