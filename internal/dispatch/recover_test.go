package dispatch_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// newRecovery stores a recovery.
func newRecovery(t *testing.T, d *dispatchtest.Dispatcher, store *store.Store) models.Recovery {
	t.Helper()
	recovery := models.Recovery{Since: store.Now().Add(-time.Hour), Until: store.Now(), Include: models.IncludeFailed, Rate: 10}
	require.NoError(t, d.Recover(t.Context(), dispatchtest.CreateWebhook(t, store), &recovery))
	return recovery
}

func TestStartRecovery(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{}
		d, store, _ := setup(t, db, fake)
		recovery := newRecovery(t, d, store)
		webhook, err := store.Webhook(t.Context(), models.Scope{}, recovery.WebhookID)
		require.NoError(t, err)
		var active *models.RecoveryActiveError
		require.ErrorAs(t, d.Recover(t.Context(), webhook, &models.Recovery{}), &active)
		require.Equal(t, recovery.ID, active.ID)
		webhook.Active = false
		require.ErrorIs(t, d.Recover(t.Context(), webhook, &models.Recovery{}), dispatch.ErrWebhookInactive)
		d.Close()
		require.Equal(t, []string{recovery.ID}, fake.IDs())
		require.Equal(t, contract.TypeRecovery, fake.Started[0].Workflow)
		require.Equal(t, contract.RecoveryInput{RecoveryID: recovery.ID}, fake.Started[0].Input)

		require.NoError(t, d.Starter.StartRecoveries(t.Context(), []models.Recovery{recovery}))
		fake.OnStart = func(context.Context, string) error {
			return serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "")
		}
		require.NoError(t, d.Starter.StartRecoveries(t.Context(), []models.Recovery{recovery}), "it runs already")
		fake.OnStart = func(context.Context, string) error { return dispatchtest.ErrAway }
		require.ErrorIs(t, d.Starter.StartRecoveries(t.Context(), []models.Recovery{recovery}), dispatch.ErrTemporalUnavailable)
	})
}

func TestSteerRecovery(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		fake := &dispatchtest.Temporal{}
		d, store, _ := setup(t, db, fake)
		recovery := newRecovery(t, d, store)
		d.Close()
		fake.Started = nil
		for signal, steer := range map[string]func(context.Context, models.Recovery) error{
			contract.SignalPause: d.PauseRecovery, contract.SignalResume: d.ResumeRecovery,
		} {
			fake.Started, fake.OnStart = nil, nil
			require.NoError(t, steer(t.Context(), recovery))
			require.Equal(t, []string{recovery.ID}, fake.IDs())
			require.Equal(t, signal, fake.Started[0].Signal)
			require.Equal(t, contract.RecoveryInput{RecoveryID: recovery.ID}, fake.Started[0].Input, "one that was terminated begins anew")
			fake.OnStart = func(context.Context, string) error { return dispatchtest.ErrAway }
			require.ErrorIs(t, steer(t.Context(), recovery), dispatch.ErrTemporalUnavailable)
		}
		fake.Started, fake.OnStart = nil, nil
		for range 3 {
			require.NoError(t, d.PauseRecovery(t.Context(), recovery))
			require.NoError(t, d.ResumeRecovery(t.Context(), recovery))
		}
		var last time.Time
		for _, call := range fake.Started {
			steer, ok := call.Argument.(contract.SteerSignal)
			require.True(t, ok)
			require.True(t, steer.At.After(last), "the last one that was answered holds")
			last = steer.At
		}
		fake.CancelErr = dispatchtest.ErrAway
		require.ErrorIs(t, d.CancelRecovery(t.Context(), recovery), dispatch.ErrTemporalUnavailable)
		fake.CancelErr = nil
		require.NoError(t, d.CancelRecovery(t.Context(), recovery))
		stored, err := store.Recovery(t.Context(), models.Scope{}, recovery.ID)
		require.NoError(t, err)
		require.Equal(t, models.RecoveryRunning, stored.Status, "its workflow has not heard of it yet")

		fake.CancelErr = serviceerror.NewNotFound("no such workflow")
		require.NoError(t, d.CancelRecovery(t.Context(), recovery))
		stored, err = store.Recovery(t.Context(), models.Scope{}, recovery.ID)
		require.NoError(t, err)
		require.Equal(t, models.RecoveryCancelled, stored.Status)
		require.Equal(t, "cancelled on request", stored.Reason)
		fake.Started, fake.OnStart = nil, nil
		for _, steer := range []func(context.Context, models.Recovery) error{d.PauseRecovery, d.ResumeRecovery, d.CancelRecovery} {
			require.ErrorIs(t, steer(t.Context(), stored), dispatch.ErrRecoveryFinished)
		}
		for _, steer := range []func(context.Context, models.Recovery) error{d.PauseRecovery, d.ResumeRecovery} {
			require.ErrorIs(t, steer(t.Context(), recovery), dispatch.ErrRecoveryFinished, "it ended behind the back of who asks")
		}
		require.Empty(t, fake.Started)
	})
}
