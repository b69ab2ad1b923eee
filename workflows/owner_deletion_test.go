package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// newDeletionRig has an owner that was deleted while a delivery and a recovery of it were waiting.
func newDeletionRig(t *testing.T, open opener) (*testsuite.TestWorkflowEnvironment, *store.Store, *starts, models.Owner, [2]string) {
	t.Helper()
	env := newEnv()
	store := openStore(t, open, env.Now)
	started := &starts{ids: map[string]int{}}
	workflows.Register(env, &activities.Activities{Store: store, Starter: started, Canceller: started, Now: env.Now})
	owner := models.Owner{Name: "acme"}
	require.NoError(t, store.CreateOwner(t.Context(), &owner))
	webhook := models.Webhook{OwnerID: owner.ID, URL: "http://x.test", Host: "x.test", Events: []string{"*"}, Active: true}
	require.NoError(t, store.CreateWebhook(t.Context(), &webhook, storetest.Secret))
	published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`), OwnerID: owner.ID})
	require.NoError(t, err)
	recovery := models.Recovery{WebhookID: webhook.ID, OwnerID: owner.ID, Include: models.IncludeFailed, Rate: 1}
	require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
	_, err = store.DeleteOwner(t.Context(), owner.ID)
	require.NoError(t, err)
	return env, store, started, owner, [2]string{published.Deliveries[0].ID, recovery.ID}
}

// The workflow cancels what waits, gives what is under way a minute, and deletes everything. Temporal's being away at
// first changes nothing.
func TestOwnerDeletion(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, store, started, owner, waiting := newDeletionRig(t, open)
		started.fail = 2
		env.RegisterDelayedCallback(func() {
			value, err := env.QueryWorkflow(contract.QueryStatus)
			require.NoError(t, err)
			var progress contract.OwnerDeletion
			require.NoError(t, value.Get(&progress))
			require.Equal(t, contract.OwnerDeletion{OwnerID: owner.ID, Cancelled: 2, After: waiting[0], Stopped: true, Settled: true}, progress)
			_, err = store.Delivery(t.Context(), models.Scope{}, waiting[0])
			require.NoError(t, err, "its workflow has time to end")
		}, 30*time.Second)
		env.ExecuteWorkflow(contract.TypeOwnerDeletion, contract.OwnerDeletion{OwnerID: owner.ID})
		require.NoError(t, env.GetWorkflowError())
		var result contract.OwnerDeletion
		require.NoError(t, env.GetWorkflowResult(&result))
		require.True(t, result.Done)
		require.Equal(t, map[string]int64{"deliveries": 1, "events": 1, "recoveries": 1, "webhooks": 1}, result.Deleted)
		require.Equal(t, map[string]int{waiting[0]: 1, waiting[1]: 1}, started.ids)
		_, err := store.DeleteOwner(t.Context(), owner.ID)
		require.ErrorIs(t, err, models.ErrNotFound)
	})
}

// Of an owner that was not deleted, or is gone already, it deletes nothing.
func TestOwnerDeletionOfNobody(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, id := range []string{models.DefaultOwnerID, typeid.New(typeid.KindOwner, start)} {
			env, store, _ := newStartRig(t, open, 1)
			env.ExecuteWorkflow(contract.TypeOwnerDeletion, contract.OwnerDeletion{OwnerID: id})
			require.NoError(t, env.GetWorkflowError())
			webhooks, _, err := store.Webhooks(t.Context(), models.Scope{}, models.WebhookFilter{}, models.Page{})
			require.NoError(t, err)
			require.Len(t, webhooks, 1)
		}
		env, _, _ := newStartRig(t, open, 0)
		env.ExecuteWorkflow(contract.TypeOwnerDeletion, contract.OwnerDeletion{})
		require.ErrorContains(t, env.GetWorkflowError(), "owner_id is no owner")
	})
}

// One that takes long goes on in a new run where it stopped.
func TestOwnerDeletionContinuesAsNew(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, _, _, owner, waiting := newDeletionRig(t, open)
		env.OnActivity((*activities.Activities)(nil).PurgeOwner, mock.Anything, mock.Anything).
			Return(func(_ context.Context, in contract.OwnerDeletion) (contract.OwnerDeletion, error) {
				in.Deleted = map[string]int64{"events": in.Deleted["events"] + 1000}
				return in, nil
			})
		env.ExecuteWorkflow(contract.TypeOwnerDeletion, contract.OwnerDeletion{OwnerID: owner.ID})
		var again *workflow.ContinueAsNewError
		require.ErrorAs(t, env.GetWorkflowError(), &again)
		var next contract.OwnerDeletion
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
		require.Equal(t, contract.OwnerDeletion{
			OwnerID: owner.ID, Cancelled: 2, After: waiting[0], Stopped: true, Settled: true, Deleted: map[string]int64{"events": 18_000},
		}, next)
	})
}

// When the process died between the deletion and the start of its workflow, a sweep starts it.
func TestSweepStartsOwnerDeletions(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, _, started, owner, _ := newDeletionRig(t, open)
		env.SetStartTime(env.Now().Add(contract.SweepAge + time.Second))
		env.ExecuteWorkflow(contract.TypeSweep, contract.SweepInput{MinAge: contract.SweepAge})
		require.NoError(t, env.GetWorkflowError())
		require.Equal(t, 1, started.ids[owner.ID])
	})
}
