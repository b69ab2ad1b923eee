package dispatch_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/mocks"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

func TestResendSignalsOrStarts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{}
		d, store, _ := setup(t, db, fake)
		defer d.Close()
		dispatchtest.CreateWebhook(t, store)
		delivery := dispatchtest.PublishOne(t, store)
		require.NoError(t, d.Resend(t.Context(), delivery, "key_x"))
		require.Len(t, fake.Started, 1)
		call := fake.Started[0]
		require.Equal(t, delivery.ID, call.Options.ID)
		require.Equal(t, contract.SignalResend, call.Signal)
		require.Equal(t, contract.ResendSignal{RequestedBy: "key_x", BeforeCancel: true}, call.Argument)
		require.Equal(t, contract.TypeDelivery, call.Workflow)
		require.Equal(t, contract.DeliveryInput{DeliveryID: delivery.ID}, call.Input)
		require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, call.Options.WorkflowIDReusePolicy)
		require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, call.Options.WorkflowIDConflictPolicy)

		fake.OnStart = func(context.Context, string) error { return dispatchtest.ErrAway }
		require.ErrorIs(t, d.Resend(t.Context(), delivery, "key_x"), dispatch.ErrTemporalUnavailable)
	})
}

func TestResendOfATestToAPausedWebhook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{}
		d, store, _ := setup(t, db, fake)
		defer d.Close()
		webhook := dispatchtest.CreateWebhook(t, store)
		test, err := store.PublishTest(t.Context(), webhook, []byte(`{}`))
		require.NoError(t, err)
		_, err = store.UpdateWebhook(t.Context(), models.Scope{}, webhook.ID, func(w *models.Webhook) error {
			w.Active = false
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, d.Resend(t.Context(), test, "key_x"))
		require.Equal(t, []string{test.ID}, fake.IDs())

		require.NoError(t, store.DeleteWebhook(t.Context(), models.Scope{}, webhook.ID))
		require.ErrorIs(t, d.Resend(t.Context(), test, "key_x"), dispatch.ErrWebhookInactive)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = d.Resend(ctx, test, "key_x")
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, dispatch.ErrTemporalUnavailable)
		require.Len(t, fake.Started, 1)
	})
}

// A workflow cannot see whether a resend or a cancellation came first: the resend says whether the run was cancelled.
func TestResendSaysWhetherTheRunWasCancelled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run          start.Run
		beforeCancel bool
	}{
		"it runs":       {start.Run{Running: true}, true},
		"it is ending":  {start.Run{Running: true, Cancelled: true}, false},
		"it has ended":  {start.Run{}, false},
		"it was ending": {start.Run{Cancelled: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *gorm.DB) {
				fake := &dispatchtest.Temporal{Latest: func() start.Run { return test.run }}
				d, store, _ := setup(t, db, fake)
				defer d.Close()
				dispatchtest.CreateWebhook(t, store)
				require.NoError(t, d.Resend(t.Context(), dispatchtest.PublishOne(t, store), "key_x"))
				require.Equal(t, test.beforeCancel, fake.Started[0].Argument.(contract.ResendSignal).BeforeCancel)
			})
		})
	}
}

func TestResendNeedsAnActiveWebhook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		store := newStore(t, db, 1)
		published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
		require.NoError(t, err)
		delivery := published.Deliveries[0]
		d := dispatchtest.New(store, mocks.NewClient(t), slog.New(slog.DiscardHandler))
		t.Cleanup(d.Close)
		_, err = store.UpdateWebhook(t.Context(), models.Scope{}, delivery.WebhookID, func(w *models.Webhook) error {
			w.Active = false
			return nil
		})
		require.NoError(t, err)
		require.ErrorIs(t, d.Resend(t.Context(), delivery, "key"), dispatch.ErrWebhookInactive)
		require.NoError(t, store.DeleteWebhook(t.Context(), models.Scope{}, delivery.WebhookID))
		require.ErrorIs(t, d.Resend(t.Context(), delivery, "key"), dispatch.ErrWebhookInactive)
	})
}
