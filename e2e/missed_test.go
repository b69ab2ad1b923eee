package e2e

import (
	"flag"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
)

// The size of the recovery of TestLongRecoveryOfMissedEvents; TestRecoveryOfMissedEvents tells the same story in short.
var (
	missedEvents = flag.Int("missed.events", 0, "how many events TestLongRecoveryOfMissedEvents recovers; 0 leaves it out")
	missedRate   = flag.Int("missed.rate", 100, "how many of them per second")
)

// TestRecoveryOfMissedEvents publishes events while a webhook is disabled, and recovers them while the process is killed,
// and then everything: each makes one delivery, which is attempted once.
func TestRecoveryOfMissedEvents(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) { recoversMissed(t, p, 600, 100) })
}

// TestLongRecoveryOfMissedEvents does so with as many events as it is told, on a Temporal server that keeps its state in
// PostgreSQL.
func TestLongRecoveryOfMissedEvents(t *testing.T) {
	t.Parallel()
	if *missedEvents == 0 {
		t.Skip("it takes long: make recovery-missed")
	}
	recoversMissed(t, startDurable(t), *missedEvents, *missedRate)
}

// recoversMissed tells the story of TestRecoveryOfMissedEvents with so many events, at a rate per second.
func recoversMissed(t *testing.T, p *installation, events, rate int) {
	t.Helper()
	target := newReceiver(t, func(n int, _ *http.Request) answer {
		if n == 1 {
			return answer{status: http.StatusGone}
		}
		return answer{status: http.StatusOK}
	})
	owner := p.newOwner(t, nil)
	// Where the machine is so busy that the receiver answers too late, that must not end a delivery.
	webhook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{"1s", "1s", "1s", "1s"}})
	p.await(t, p.send(t, owner, object{}), "permanently_failed")
	since := time.Now()
	publishMissed(t, p, owner, events)
	require.Equal(t, 1, target.count(), "the webhook is disabled")
	p.call(t, http.MethodPatch, "/api/webhooks/"+webhook.ID, object{"active": true}, http.StatusOK, nil)

	total := int64(events)
	p.patience = 4 * time.Duration(events/rate) * time.Second
	began := time.Now()
	var made recovery
	p.call(t, http.MethodPost, "/api/webhooks/"+webhook.ID+"/recover", object{"since": since, "include": "missed", "rate": rate}, http.StatusAccepted, &made)
	awaitArrived := func(n int64) {
		t.Helper()
		eventuallyWithin(t, patience+p.patience, func() bool { return int64(target.count()) > n }, "fewer than %d arrived", n)
	}
	awaitArrived(total*4/10 + int64(rate)/2)
	p.killPostrider()
	p.start(t)
	awaitArrived(total*6/10 + int64(rate)/2)
	p.killPostrider()
	p.killTemporal()
	p.start(t)
	done := p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "completed" })
	t.Logf("recovered %d missed events in %s, asking for %d per second", total, time.Since(began).Round(time.Millisecond), rate)
	require.Equal(t, recovery{ID: made.ID, Status: "completed", Total: &total, Resent: total}, done)
	requireMadeOnce(t, p, webhook, total)
	t.Logf("all of them had arrived after %s", time.Since(began).Round(time.Millisecond))
	requireArrived(t, target.all()[1:], total)
}

// publishMissed publishes events for which there is no webhook at present, a thousand in a request.
func publishMissed(t *testing.T, p *installation, owner string, events int) {
	t.Helper()
	const atOnce = 1000
	for n := 0; n < events; n += atOnce {
		batch := make([]object, min(atOnce, events-n))
		for i := range batch {
			batch[i] = object{"event": "order.created", "owner_id": owner, "data": object{"n": n + i}}
		}
		var answer struct {
			Data []struct{ Deliveries *int }
		}
		p.call(t, http.MethodPost, "/api/events/batch", object{"events": batch}, http.StatusAccepted, &answer)
		for _, published := range answer.Data {
			require.NotNil(t, published.Deliveries)
			require.Zero(t, *published.Deliveries)
		}
	}
}

// requireMadeOnce says that each of so many events has one delivery to a webhook, which has arrived with its first attempt.
func requireMadeOnce(t *testing.T, p *installation, webhook webhook, total int64) {
	t.Helper()
	db := storetest.Open(t, p.databaseURL)
	var found struct{ Delivered, Deliveries, Events, Attempts int64 }
	complete := func() bool {
		require.NoError(t, db.Raw(`SELECT count(DISTINCT CASE WHEN d.status = 'delivered' THEN d.id END) AS delivered,
			count(DISTINCT d.id) AS deliveries, count(DISTINCT d.event_id) AS events, count(a.id) AS attempts
			FROM deliveries d LEFT JOIN attempts a ON a.delivery_id = d.id AND a.status_code = 200
			WHERE d.webhook_id = ? AND d.status <> 'permanently_failed'`, webhook.ID).Scan(&found).Error)
		return found.Delivered == total
	}
	eventuallyWithin(t, patience+p.patience, complete, "not all of %d are delivered: %+v", total, &found)
	p.settled(t)
	complete()
	require.Equal(t, total, found.Delivered)
	require.Equal(t, total, found.Deliveries)
	require.Equal(t, total, found.Events)
	require.Equal(t, total, found.Attempts)
}
