package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/worker"
)

// TestKilled kills everything, Temporal too, while deliveries are at every stage, and starts it again: each
// arrives, and only what was being sent when the process died is sent a second time.
func TestKilled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		type story struct {
			target *receiver
			id     string
		}
		begin := func(script script, schedule ...string) story {
			target := newReceiver(t, script)
			owner := p.newOwner(t, nil)
			p.newWebhook(t, owner, target.url, object{"retry_schedule": schedule})
			return story{target, p.send(t, owner, object{"payload": t.Name()})}
		}
		// A gate that stays closed: the process dies with the request under way.
		closed := newGate(t)
		done := begin(always(http.StatusOK), "1h")
		p.await(t, done.id, "delivered")
		inFirst := begin(closed.holding(1, always(http.StatusOK)), "1h")
		inRetry := begin(closed.holding(2, failFirst(1, http.StatusInternalServerError)), "1s")
		inLongWait := begin(failFirst(1, http.StatusInternalServerError), "1h")
		inFirst.target.await(t, 1)
		inRetry.target.await(t, 2)
		p.await(t, inLongWait.id, "failed")
		inWait := begin(failFirst(1, http.StatusInternalServerError), "5s")
		p.await(t, inWait.id, "failed")

		p.killPostrider()
		p.killTemporal()
		p.start(t)

		p.resend(t, inLongWait.id)
		for _, expected := range []struct {
			name     string
			story    story
			attempts []string // as the receiver saw them
			recorded []string
		}{
			{"delivered before", done, []string{"1"}, []string{"schedule"}},
			{"in the first attempt", inFirst, []string{"1", "1"}, []string{"schedule"}},
			{"in a retry", inRetry, []string{"1", "2", "2"}, []string{"schedule", "schedule"}},
			{"in a short wait", inWait, []string{"1", "2"}, []string{"schedule", "schedule"}},
			{"in a long wait, then resent", inLongWait, []string{"1", "2"}, []string{"schedule", "resend"}},
		} {
			shown := p.await(t, expected.story.id, "delivered")
			require.Equal(t, expected.recorded, shown.triggers(), expected.name)
			requests := expected.story.target.all()
			require.Equal(t, expected.attempts, attempts(requests), expected.name)
			requireSameDelivery(t, expected.story.id, requests)
		}
		p.settled(t)
		require.Equal(t, 1, done.target.count())
	})
}

// TestKilledBeforeStart lets the process die when an event is committed and its workflow not started: the
// next process starts it as it begins. The sweep that would come by later is paused.
func TestKilledBeforeStart(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, nil)
		pauseSweep(t, p)

		var eventID string
		if p.temporal != nil {
			p.killTemporal()
			eventID = p.publish(t, owner, "order.created", object{}).ID
			p.killPostrider()
		} else {
			// Temporal dies with the process. What the process would have committed last is committed for it.
			p.killPostrider()
			published, err := p.store(t).Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: owner})
			require.NoError(t, err)
			eventID = published.Event.ID
		}
		require.Zero(t, target.count())

		p.start(t)
		id := p.deliveriesOf(t, eventID)[0].ID
		p.await(t, id, "delivered")
		p.settled(t)
		require.Equal(t, []string{"1"}, attempts(target.all()))
	})
}

func pauseSweep(t *testing.T, p *installation) {
	t.Helper()
	temporal := p.dial(t)
	require.NoError(t, temporal.SignalWorkflow(t.Context(), contract.SweepID, "", contract.SignalPause, nil))
	p.sweepPaused = true
	eventually(t, func() bool {
		err := worker.CheckSweep(t.Context(), temporal, client.DefaultNamespace, time.Now())
		return err != nil && strings.Contains(err.Error(), "is paused")
	}, "the sweep is not paused")
}

// TestTemporalAway takes Temporal away from a running process: events are accepted all the time, and arrive
// when Temporal is back.
func TestTemporalAway(t *testing.T) {
	t.Parallel()
	p := prepareProduction(t)
	p.start(t)
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, nil)
	delivered := p.send(t, owner, object{})
	p.await(t, delivered, "delivered")

	p.killTemporal()
	id := p.send(t, owner, object{})
	eventually(t, func() bool { return p.postrider.Stderr.Contains("workflows cannot be started") }, "nothing is said of Temporal's absence")
	require.False(t, p.ready())
	var refused problem
	p.call(t, http.MethodPost, "/api/deliveries/"+delivered+"/resend", nil, http.StatusServiceUnavailable, &refused)
	require.Equal(t, "unavailable", refused.Code)
	require.Equal(t, "pending", p.delivery(t, id).Status)

	p.start(t)
	p.await(t, id, "delivered")
	require.Equal(t, []string{"1", "1"}, attempts(target.all()))
}

// TestKilledInAStream publishes one event after the other while the process is killed twice. Whoever gets no
// answer asks again with the same idempotency key. Every event arrives, and each is published once.
func TestKilledInAStream(t *testing.T) {
	t.Parallel()
	const events = 200
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s", "1s", "1s"}})

		accepted := make(chan int)
		stream := &publisher{p: p, owner: owner, ids: map[string]int{}}
		var done sync.WaitGroup
		done.Go(func() {
			defer close(accepted)
			for n := range events {
				if !stream.publish(t, n) {
					return
				}
				accepted <- n
			}
		})
		for n := range accepted {
			switch n {
			case events / 3:
				p.postrider.Kill()
				p.postrider = nil
				p.start(t)
			case 2 * events / 3:
				p.killPostrider()
				p.killTemporal()
				p.start(t)
			}
		}
		done.Wait()
		require.Len(t, stream.ids, events, "every event was accepted, under an ID of its own")

		arrived := func() map[int]map[string]bool {
			byNumber := map[int]map[string]bool{}
			for _, request := range target.all() {
				var body struct {
					EventID string `json:"event_id"`
					Data    struct{ N int }
				}
				require.NoError(t, json.Unmarshal(request.body, &body))
				require.Contains(t, stream.ids, body.EventID, "it was accepted")
				require.Equal(t, stream.ids[body.EventID], body.Data.N)
				if byNumber[body.Data.N] == nil {
					byNumber[body.Data.N] = map[string]bool{}
				}
				byNumber[body.Data.N][request.deliveryID()] = true
			}
			return byNumber
		}
		eventually(t, func() bool { return len(arrived()) == events }, "only %d of %d events arrived", len(arrived()), events)
		for n, deliveries := range arrived() {
			require.Len(t, deliveries, 1, "event %d came as more than one delivery", n)
		}
		eventually(t, func() bool {
			return len(p.list(t, "/api/deliveries?limit=250&status=delivered&owner_id="+owner)) == events
		}, "not every delivery is delivered")
		t.Logf("%d requests for %d events", target.count(), events)
	})
}

// publisher publishes numbered events, again and again until each is accepted.
type publisher struct {
	p     *installation
	owner string
	// ids are the events' IDs, with their numbers.
	ids map[string]int
}

// publish returns whether the event was accepted. It runs in a goroutine of its own, so it does not use
// require.
func (s *publisher) publish(t testing.TB, n int) bool {
	body := object{"event": "order.created", "owner_id": s.owner, "data": object{"N": n}}
	header := http.Header{"Idempotency-Key": {fmt.Sprintf("event-%d", n)}}
	for t.Context().Err() == nil {
		status, answer, err := s.p.ask(t, http.MethodPost, "/api/events", body, header)
		if err != nil || status == http.StatusServiceUnavailable {
			continue // killed: the next process answers
		}
		var published event
		if err := json.Unmarshal(answer, &published); err != nil || status != http.StatusAccepted {
			t.Errorf("event %d: %d %s", n, status, answer)
			return false
		}
		s.ids[published.ID] = n
		return true
	}
	return false
}
