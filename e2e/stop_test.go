package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// TestStopped stops the process with SIGTERM while attempts are under way, a first one and a retry. Both are
// finished and recorded, the process exits with 0, and the next one sends nothing again.
func TestStopped(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		gate := newGate(t)
		first := newReceiver(t, gate.holding(1, always(http.StatusOK)))
		retry := newReceiver(t, gate.holding(2, failFirst(1, http.StatusInternalServerError)))
		var ids []string
		for _, target := range []*receiver{first, retry} {
			owner := p.newOwner(t, nil)
			p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s"}})
			ids = append(ids, p.send(t, owner, object{}))
		}
		first.await(t, 1)
		retry.await(t, 2)

		p.postrider.terminate(t)
		eventually(t, func() bool { return p.postrider.Stderr.Contains("stopping") }, "the signal is not heard")
		eventually(t, func() bool { return !p.ready() }, "the process still takes requests")
		require.False(t, p.postrider.HasExited(), "it waits for the attempts")
		gate.open()
		require.Zero(t, p.terminated(t))

		p.start(t)
		temporal := p.dial(t)
		for _, id := range ids {
			p.await(t, id, "delivered")
			awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		}
		p.settled(t)
		require.Equal(t, []string{"1"}, attempts(first.all()))
		require.Equal(t, []string{"1", "2"}, attempts(retry.all()))
		require.Len(t, p.delivery(t, ids[0]).Attempts, 1)
		require.Len(t, p.delivery(t, ids[1]).Attempts, 2)
	})
}

// TestRollingRestart replaces one of two processes, in good order, while retries come due. Temporal hands a process
// that stops no more tasks: none has to time out, which takes 10 seconds, before the other process gets it.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	const rounds, events = 3, 40
	fleet := newFleet(t, 2)
	target := newReceiver(t, func(_ int, r *http.Request) answer {
		if r.Header.Get("X-Webhook-Attempt") == "1" {
			return answer{status: http.StatusInternalServerError}
		}
		return answer{status: http.StatusOK}
	})
	owner := fleet[0].newOwner(t, nil)
	fleet[0].newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s", "1s"}})
	var ids []string
	for round := range rounds {
		for n := range events {
			ids = append(ids, fleet[n%len(fleet)].send(t, owner, object{}))
		}
		// First attempts and some of the retries.
		target.await(t, round*2*events+events+events/4)
		fleet[1].postrider.terminate(t)
		require.Zero(t, fleet[1].terminated(t))
		fleet[1].start(t)
	}
	temporal := fleet[0].dial(t)
	lost, slowest := map[string]string{}, time.Duration(0)
	for _, id := range ids {
		fleet[0].await(t, id, "delivered")
		awaitWorkflow(t, temporal, id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		worker, handedOut := tasksOf(historyOf(t, temporal, id, ""))
		slowest = max(slowest, handedOut)
		if worker != "" {
			lost[id] = worker
		}
	}
	if slowest < temporalGivesUp/2 {
		require.Empty(t, lost, "deliveries of which a worker lost a task")
	} else {
		t.Logf("Temporal took up to %s to hand out a task, and lost %d itself", slowest, len(lost))
	}
	require.Equal(t, 2*len(ids), target.count(), "each was attempted twice")
}

// temporalGivesUp is how long Temporal's matching service waits until the start of a task is recorded that it has
// handed to a waiting worker. One that is recorded later is lost whether processes stop or not, and times out. On a
// machine that needs half of that to hand out any task, no loss can be laid at a restart.
const temporalGivesUp = time.Second

// tasksOf returns the worker that lost a task of a workflow, if one did, and the longest that one waited for a worker.
func tasksOf(history *historypb.History) (lostBy string, slowest time.Duration) {
	var scheduled time.Time
	var worker string
	for _, event := range history.GetEvents() {
		at := event.GetEventTime().AsTime()
		switch {
		case event.GetWorkflowTaskScheduledEventAttributes() != nil:
			scheduled = at
		case event.GetWorkflowTaskStartedEventAttributes() != nil:
			worker, slowest = event.GetWorkflowTaskStartedEventAttributes().GetIdentity(), max(slowest, at.Sub(scheduled))
		case event.GetWorkflowTaskTimedOutEventAttributes().GetTimeoutType() == enumspb.TIMEOUT_TYPE_START_TO_CLOSE:
			lostBy = worker
		}
	}
	return lostBy, slowest
}

// TestSecondStart stops an installation in good order and starts it again on the same data: what was there
// is there, and what waited goes on.
func TestSecondStart(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		adminKey := p.adminKey
		target := newReceiver(t, failFirst(1, http.StatusInternalServerError))
		owner := p.newOwner(t, nil)
		hook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"5s"}})
		id := p.send(t, owner, object{})
		p.await(t, id, "failed")

		p.postrider.terminate(t)
		require.Zero(t, p.terminated(t))
		if p.temporal != nil {
			p.temporal.terminate(t)
			require.Zero(t, p.temporal.exitCode(t))
			p.temporal = nil
		}
		p.start(t)

		require.Equal(t, adminKey, p.adminKey)
		var kept webhook
		p.call(t, http.MethodGet, "/api/webhooks/"+hook.ID, nil, http.StatusOK, &kept)
		require.Equal(t, owner, kept.OwnerID)
		shown := p.await(t, id, "delivered")
		require.Equal(t, []string{"schedule", "schedule"}, shown.triggers())
		requests := target.all()
		require.Equal(t, []string{"1", "2"}, attempts(requests))
		requireSameDelivery(t, id, requests)
		requireVerified(t, requests[1], hook.Secret) // the secret can still be read
	})
}

// TestWelcome starts postrider-dev as a newcomer does and waits for the commands to paste.
func TestWelcome(t *testing.T) {
	t.Parallel()
	p := prepareDev(t)
	for _, start := range []string{"first", "second"} {
		began := time.Now()
		p.startPostrider(t)
		eventuallyWithin(t, time.Minute, func() bool { return p.postrider.Stdout.Contains("Try it") }, "no welcome")
		t.Logf("the %s start took %s", start, time.Since(began).Round(time.Millisecond))
		p.readKeys(t)
		welcome := p.postrider.Stdout.String()
		for _, fact := range []string{p.url, p.temporalUI, p.adminKey, "curl " + p.url + "/api/events"} {
			require.Contains(t, welcome, fact)
		}
		require.Equal(t, 4, strings.Count(welcome, p.adminKey), "once alone and in three commands")
		p.postrider.terminate(t)
		require.Zero(t, p.terminated(t))
	}
}
