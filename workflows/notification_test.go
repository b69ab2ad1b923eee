package workflows_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// newFailedRig has a delivery that failed for good, so that its owner can be told.
func newFailedRig(t *testing.T, open opener) *rig {
	t.Helper()
	r := newRig(t, open)
	attemptedBefore(models.StatusPermanentlyFailed)(t, r)
	return r
}

func (r *rig) notify() error {
	r.env.ExecuteWorkflow(workflows.Notification, contract.NotificationInput{DeliveryID: r.delivery.ID, Attempt: 1})
	return r.env.GetWorkflowError()
}

func TestNotificationIsRepeatedUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newFailedRig(t, open)
		for range 9 {
			r.email.refuse = append(r.email.refuse, errors.New("451 try again later"))
		}
		require.NoError(t, r.notify())
		require.Len(t, r.email.notices, 1)
		require.Equal(t, 10, r.email.tries)
		notice := r.email.notices[0].(notify.Exhausted)
		require.Equal(t, r.delivery.ID, notice.DeliveryID)
		require.Equal(t, r.webhook.ID, notice.WebhookID)
		require.Equal(t, r.delivery.EventID, notice.EventID)
		require.Equal(t, "order.created", notice.Event)
		require.Equal(t, "acme", notice.OwnerName)
	})
}

func TestNotificationIsNotRepeatedWhenItMayHaveGoneOut(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, cause := range []error{notify.ErrMaybeSent, notify.ErrPermanent} {
			t.Run(cause.Error(), func(t *testing.T) {
				t.Parallel()
				r := newFailedRig(t, open)
				r.email.refuse = []error{fmt.Errorf("send: %w", cause)}
				require.Error(t, r.notify())
				require.Equal(t, 1, r.email.tries)
			})
		}
	})
}

func TestNotificationWithoutAnyChannel(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newFailedRig(t, open)
		_, err := r.store.UpdateOwner(t.Context(), r.delivery.OwnerID, func(owner *models.Owner) error {
			owner.Email = ""
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, r.notify())
		require.Zero(t, r.email.tries)
	})
}
