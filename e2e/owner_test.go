package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// awaitStopped waits until nothing of a deleted owner waits any more, and returns how far its deletion is.
func awaitStopped(t *testing.T, c client.Client, ownerID string) contract.OwnerDeletion {
	t.Helper()
	var progress contract.OwnerDeletion
	eventually(t, func() bool {
		value, err := c.QueryWorkflow(t.Context(), contract.OwnerDeletionID(ownerID), "", contract.QueryStatus)
		return err == nil && value.Get(&progress) == nil && progress.Stopped
	}, "what waits of %s is not stopped", ownerID)
	return progress
}

// purgeNow ends a deletion that lets what is under way end, and starts it anew behind that. It waits for its end.
func purgeNow(t *testing.T, c client.Client, progress contract.OwnerDeletion) {
	t.Helper()
	require.NoError(t, c.TerminateWorkflow(t.Context(), contract.OwnerDeletionID(progress.OwnerID), "", "nothing is under way"))
	progress.Settled = true
	again, err := c.ExecuteWorkflow(t.Context(), contract.OwnerDeletionOptions(progress.OwnerID), contract.TypeOwnerDeletion, progress)
	require.NoError(t, err)
	require.NoError(t, again.Get(t.Context(), &progress))
	require.True(t, progress.Done)
}

// TestDeletedOwner deletes an owner with a delivery that waits, one that arrived, a source and a key. All of it ends at
// once, and then nothing is left. Another owner is deleted by a process that dies before it has started the workflow.
func TestDeletedOwner(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, failFirst(1, http.StatusInternalServerError))
		owner := p.newOwner(t, nil)
		hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}, "headers": object{"Authorization": "Bearer x"}})
		waits := p.send(t, owner, object{"n": "A"})
		p.await(t, waits, "failed")
		arrived := p.send(t, owner, object{"n": "B"})
		p.await(t, arrived, "delivered")
		var source, key struct {
			ID  string `json:"id"`
			Key string `json:"key"`
		}
		p.call(t, http.MethodPost, "/api/sources", object{"name": "in", "scheme": "github", "secret": "provider's", "owner_id": owner}, http.StatusCreated, &source)
		p.call(t, http.MethodPost, "/api/owners/"+owner+"/keys", object{}, http.StatusCreated, &key)
		status := func(method, url string) int {
			code, _ := askPlainly(t, method, p.url+url, "{}", http.Header{"Authorization": {"Bearer " + key.Key}})
			return code
		}
		require.Equal(t, http.StatusOK, status(http.MethodGet, "/api/webhooks"))
		require.Equal(t, http.StatusUnauthorized, status(http.MethodPost, "/webhooks/"+source.ID))

		// At once.
		p.call(t, http.MethodDelete, "/api/owners/"+owner, nil, http.StatusAccepted, nil)
		require.Equal(t, http.StatusUnauthorized, status(http.MethodGet, "/api/webhooks"), "its key")
		require.Equal(t, http.StatusNotFound, status(http.MethodPost, "/webhooks/"+source.ID))
		for _, path := range []string{"/api/webhooks/" + hook.ID, "/api/sources/" + source.ID, "/api/owners/" + owner} {
			p.call(t, http.MethodGet, path, nil, http.StatusNotFound, nil)
		}
		temporal := p.dial(t)
		awaitWorkflow(t, temporal, waits, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
		progress := awaitStopped(t, temporal, owner)
		require.EqualValues(t, 1, progress.Cancelled)
		require.Equal(t, "cancelled", p.delivery(t, waits).Status)

		purgeNow(t, temporal, progress)
		p.requireNothingOf(t, owner, waits, arrived)
		require.Equal(t, 2, target.count())

		// Killed between the commit and the start. What the process would have committed last is committed for it.
		owner = p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, nil)
		arrived = p.send(t, owner, object{"n": "C"})
		p.await(t, arrived, "delivered")
		p.settled(t)
		p.killPostrider()
		_, err := p.store(t).DeleteOwner(t.Context(), owner)
		require.NoError(t, err)
		p.start(t)
		temporal = p.dial(t)
		purgeNow(t, temporal, awaitStopped(t, temporal, owner))
		p.requireNothingOf(t, owner, arrived)
	})
}

// requireNothingOf says that nothing is stored of an owner.
func (p *installation) requireNothingOf(t *testing.T, owner string, deliveries ...string) {
	t.Helper()
	store, scope := p.store(t), models.Scope{OwnerID: owner}
	for _, id := range deliveries {
		p.call(t, http.MethodGet, "/api/deliveries/"+id, nil, http.StatusNotFound, nil)
		attempts, err := store.Attempts(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, attempts)
	}
	keys, err := store.APIKeys(t.Context(), scope)
	require.NoError(t, err)
	require.Empty(t, keys)
	left, _, err := store.Deliveries(t.Context(), scope, models.DeliveryFilter{}, models.Page{})
	require.NoError(t, err)
	require.Empty(t, left)
	stored, err := store.StoredBytes(t.Context(), owner)
	require.NoError(t, err)
	require.Zero(t, stored)
	_, err = store.DeleteOwner(t.Context(), owner)
	require.ErrorIs(t, err, models.ErrNotFound)
}

// TestSuspendedOwner suspends an owner with a delivery that waits, and publishes another event meanwhile: nothing
// arrives. Resumed and recovered, both arrive, once each.
func TestSuspendedOwner(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, failFirst(1, http.StatusInternalServerError))
		owner := p.newOwner(t, nil)
		hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1h"}})
		since := time.Now()
		waits := p.send(t, owner, object{"n": "A"})
		p.await(t, waits, "failed")

		p.call(t, http.MethodPatch, "/api/owners/"+owner, object{"active": false}, http.StatusOK, nil)
		missed := p.publish(t, owner, "order.created", object{"n": "B"})
		require.Zero(t, missed.Deliveries)
		require.NoError(t, p.dial(t).SignalWorkflow(t.Context(), waits, "", contract.SignalResend, nil)) // its hour is over
		p.await(t, waits, "cancelled")
		p.settled(t)
		require.Equal(t, 1, target.count(), "nothing arrives while the owner is suspended")

		p.call(t, http.MethodPatch, "/api/owners/"+owner, object{"active": true}, http.StatusOK, nil)
		two := int64(2)
		require.Equal(t, recovery{Status: "completed", Total: &two, Resent: two},
			withoutID(p.recovered(t, hook.ID, object{"since": since, "include": "missed"})))
		requireEachOnce(t, target.await(t, 3)[1:], "A", "B")
		p.await(t, waits, "delivered")
		require.Zero(t, *p.recovered(t, hook.ID, object{"since": since, "include": "missed"}).Total, "nothing is recovered twice")
		p.settled(t)
		require.Equal(t, 3, target.count())
	})
}
