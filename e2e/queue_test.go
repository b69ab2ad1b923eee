package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// queue is a webhook whose deliveries are sent one after the other, and what it got.
type queue struct {
	*installation
	t       *testing.T
	target  *receiver
	owner   string
	webhook string
}

func newQueue(t *testing.T, p *installation, script script, more object) *queue {
	t.Helper()
	q := &queue{installation: p, t: t, target: newReceiver(t, script), owner: p.newOwner(t, nil)}
	settings := object{"retry_schedule": []string{"1h"}}
	for name, value := range more {
		settings[name] = value
	}
	q.webhook = p.newWebhook(t, q.owner, q.target.url, settings).ID
	return q
}

func (q *queue) send() string {
	q.t.Helper()
	return q.installation.send(q.t, q.owner, object{})
}

func (q *queue) change(change object) {
	q.t.Helper()
	q.call(q.t, http.MethodPatch, "/api/webhooks/"+q.webhook, change, http.StatusOK, nil)
}

// requireWaits says that a delivery has not been attempted because it waits for another one.
func (q *queue) requireWaits(id, first string) {
	q.t.Helper()
	shown := q.delivery(q.t, id)
	require.Equal(q.t, "pending", shown.Status)
	require.NotNil(q.t, shown.WaitsFor)
	require.Equal(q.t, first, *shown.WaitsFor)
	require.Nil(q.t, shown.NextAttemptAt)
	require.Empty(q.t, shown.Attempts)
}

// requireOrder says in which order deliveries came to the receiver, each time that one did.
func (q *queue) requireOrder(ids ...string) {
	q.t.Helper()
	var came []string
	for _, request := range q.target.await(q.t, len(ids)) {
		came = append(came, request.deliveryID())
	}
	require.Equal(q.t, ids, came)
}

// orderSwitched orders a webhook while a delivery waits for its retry: what comes waits behind it, until the order is
// lifted again.
func orderSwitched(t *testing.T, p *installation) {
	q := newQueue(t, p, failFirst(1, http.StatusInternalServerError), nil)
	first := q.send()
	p.await(t, first, "failed")
	q.change(object{"ordered": true})
	second, third := q.send(), q.send()
	p.settled(t)
	q.requireWaits(second, first)
	q.requireWaits(third, first)
	p.resend(t, first)
	p.await(t, third, "delivered")
	q.requireOrder(first, first, second, third)
	require.Nil(t, p.delivery(t, third).WaitsFor)

	q = newQueue(t, p, failFirst(1, http.StatusInternalServerError), object{"ordered": true})
	first, second = q.send(), q.send()
	p.await(t, first, "failed")
	q.requireWaits(second, first)
	q.change(object{"ordered": false})
	p.await(t, second, "delivered")
	require.Equal(t, "failed", p.delivery(t, first).Status)
	require.Nil(t, p.delivery(t, second).WaitsFor)
}

// queueHeld gives a delivery up that others wait for: cancelling it lets them go, as does skipping what is given up. One
// that is cancelled while it waits leaves the queue.
func queueHeld(t *testing.T, p *installation) {
	for name, release := range map[string]func(q *queue, id string){
		"cancelled": func(q *queue, id string) {
			q.call(t, http.MethodPost, "/api/deliveries/"+id+"/cancel", nil, http.StatusAccepted, nil)
		},
		"skipped": func(q *queue, _ string) { q.change(object{"on_failure": "skip"}) },
	} {
		q := newQueue(t, p, failFirst(1, http.StatusInternalServerError), object{"ordered": true, "retry_schedule": []string{}})
		first, second, third := q.send(), q.send(), q.send()
		p.await(t, first, "permanently_failed")
		q.requireWaits(third, first)
		q.call(t, http.MethodPost, "/api/deliveries/"+second+"/cancel", nil, http.StatusAccepted, nil)
		p.await(t, second, "cancelled")
		p.settled(t)
		q.requireWaits(third, first)
		release(q, first)
		p.await(t, third, "delivered")
		q.requireOrder(first, third)
		if name == "cancelled" {
			require.Equal(t, "cancelled", p.delivery(t, first).Status)
		}
	}
}

// queueResent asks for a delivery that waits for others: it is made in its turn. One that has arrived is made at once,
// whatever waits.
func queueResent(t *testing.T, p *installation) {
	q := newQueue(t, p, failFirst(1, http.StatusInternalServerError), object{"ordered": true})
	first, second, third := q.send(), q.send(), q.send()
	p.await(t, first, "failed")
	p.resend(t, third)
	temporal := p.dial(t)
	eventually(t, func() bool { return slices.Contains(typesOf(historyOf(t, temporal, third, "")), "TimerStarted") }, "the resend does not wait")
	require.Equal(t, "behind "+first, timersOf(t, historyOf(t, temporal, third, ""))[0].summary)
	q.requireOrder(first)
	p.resend(t, first)
	p.await(t, third, "delivered")
	q.requireOrder(first, first, second, third)
	require.Equal(t, []string{"resend"}, p.delivery(t, third).triggers())

	q = newQueue(t, p, func(n int, _ *http.Request) answer {
		if n == 2 {
			return answer{status: http.StatusInternalServerError}
		}
		return answer{status: http.StatusOK}
	}, object{"ordered": true})
	first = q.send()
	p.await(t, first, "delivered")
	second, third = q.send(), q.send()
	p.await(t, second, "failed")
	p.resend(t, first)
	q.requireOrder(first, second, first)
	q.requireWaits(third, second)
}

// queuePaused pauses an ordered webhook: its queue stands, nothing of it is cancelled, and goes on when it is active.
func queuePaused(t *testing.T, p *installation) {
	held := newGate(t)
	q := newQueue(t, p, held.holding(1, failFirst(1, http.StatusInternalServerError)), object{"ordered": true, "retry_schedule": []string{"1s"}})
	first, second, third := q.send(), q.send(), q.send()
	q.target.await(t, 1)
	q.change(object{"active": false})
	held.open()
	temporal := p.dial(t)
	eventually(t, func() bool {
		return slices.ContainsFunc(timersOf(t, historyOf(t, temporal, first, "")), func(timer timer) bool { return timer.summary == "the webhook is inactive" })
	}, "the queue does not stand")
	q.requireWaits(second, first)
	require.Equal(t, "failed", p.delivery(t, first).Status)
	q.change(object{"active": true})
	p.await(t, third, "delivered")
	q.requireOrder(first, first, second, third)
}

// queueRecovered resends what a webhook has skipped: it arrives in the order of publishing, one after the other.
func queueRecovered(t *testing.T, p *installation) {
	q := newQueue(t, p, failFirst(3, http.StatusInternalServerError), object{"ordered": true, "on_failure": "skip", "retry_schedule": []string{}})
	since := p.delivery(t, q.send()).CreatedAt
	ids := []string{q.send(), q.send()}
	for _, id := range ids {
		p.await(t, id, "permanently_failed")
	}
	q.change(object{"active": false})
	for range 2 {
		require.Zero(t, p.publish(t, q.owner, "order.created", object{}).Deliveries)
	}
	q.change(object{"active": true})
	var made recovery
	p.call(t, http.MethodPost, "/api/webhooks/"+q.webhook+"/recover", object{"since": since, "include": "missed"}, http.StatusAccepted, &made)
	p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "completed" })
	const failed, recovered = 3, 5
	requests := q.target.await(t, failed+recovered)
	p.settled(t)
	require.Equal(t, failed+recovered, q.target.count())
	var before string
	for _, request := range requests[failed:] {
		shown := p.await(t, request.deliveryID(), "delivered")
		require.Less(t, before, shown.EventID, "an older event arrives later")
		before = shown.EventID
	}
	require.Equal(t, []string{"schedule", "resend"}, p.delivery(t, ids[0]).triggers())
}

// TestRecordQueueHistories makes deliveries of an ordered webhook wait for their turn on a real server. With
// -update-histories it keeps what Temporal recorded.
func TestRecordQueueHistories(t *testing.T) {
	t.Parallel()
	p := startInProcess(t, nil)
	order := func(d models.Delivery, change func(*models.Webhook)) {
		t.Helper()
		before, err := p.store.Webhook(t.Context(), models.Scope{}, d.WebhookID)
		require.NoError(t, err)
		now, err := p.store.UpdateWebhook(t.Context(), models.Scope{}, d.WebhookID, func(w *models.Webhook) error { change(w); return nil })
		require.NoError(t, err)
		p.dispatcher.WebhookChanged(before, now)
	}
	ordered := func(w *models.Webhook) { w.Ordered = true }
	publish := func(d models.Delivery) models.Delivery {
		t.Helper()
		published, err := p.dispatcher.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: d.OwnerID})
		require.NoError(t, err)
		return published.Deliveries[0]
	}
	t.Run("queued", func(t *testing.T) {
		first := p.deliveryTo(t, newReceiver(t, failFirst(1, http.StatusInternalServerError)))
		order(first, ordered) // which starts it
		p.awaitStatus(t, first, models.StatusFailed)
		second := publish(first)
		begin(t, p.plain, second)
		eventually(t, func() bool { return len(timersOf(t, historyOf(t, p.plain, second.ID, ""))) == 1 }, "it does not wait")
		p.resend(t, first)
		awaitWorkflow(t, p.plain, second.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		p.keepHistory(t, "queued", second.ID, "")
	})
	t.Run("queued-while-inactive", func(t *testing.T) {
		first := p.deliveryTo(t, newReceiver(t, always(http.StatusOK)))
		order(first, func(w *models.Webhook) { w.Ordered, w.Active = true, false })
		begin(t, p.plain, first)
		eventually(t, func() bool { return len(timersOf(t, historyOf(t, p.plain, first.ID, ""))) == 1 }, "it does not wait")
		order(first, func(w *models.Webhook) { w.Active = true })
		awaitWorkflow(t, p.plain, first.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		p.keepHistory(t, "queued-while-inactive", first.ID, "")
	})
	t.Run("queued-again", func(t *testing.T) {
		first := p.exhausted(t, newReceiver(t, failFirst(6, http.StatusInternalServerError)))
		order(first, ordered)
		recovery := models.Recovery{
			WebhookID: first.WebhookID, OwnerID: first.OwnerID, Since: first.CreatedAt, Until: p.store.Now(), Include: models.IncludeFailed, Rate: 10,
		}
		require.NoError(t, p.store.CreateRecovery(t.Context(), &recovery))
		_, err := p.plain.ExecuteWorkflow(t.Context(), contract.RecoveryOptions(contract.Recovery{ID: recovery.ID, OwnerID: first.OwnerID, WebhookID: first.WebhookID, Rate: 10}),
			contract.TypeRecovery, contract.RecoveryInput{RecoveryID: recovery.ID})
		require.NoError(t, err)
		p.awaitStatus(t, first, models.StatusDelivered)
		awaitWorkflow(t, p.plain, first.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		p.keepHistory(t, "queued-again", first.ID, "")

		// Another run that is started for a turn which is over ends without a request.
		late, err := p.plain.ExecuteWorkflow(t.Context(), contract.TurnOptions(toStart(first)), contract.TypeDelivery,
			contract.DeliveryInput{DeliveryID: first.ID, Turn: true})
		require.NoError(t, err)
		require.NoError(t, late.Get(t.Context(), nil))
		made, err := p.store.Attempts(t.Context(), first.ID)
		require.NoError(t, err)
		require.Len(t, made, 7)
		p.keepHistory(t, "queued-too-late", first.ID, "")
	})
}
