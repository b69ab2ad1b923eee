package e2e

import (
	"flag"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// The size of the recovery of TestLongRecovery; TestRecovery tells the same story in short.
var (
	recoveryDeliveries = flag.Int("recovery.deliveries", 0, "how many deliveries TestLongRecovery recovers; 0 leaves it out")
	recoveryRate       = flag.Int("recovery.rate", 40, "how many of them per second")
)

// mostEvents is what a run's history may have: Temporal suggests to continue as new from 4,096 on.
const mostEvents = 4_500

type recovery struct {
	ID      string  `json:"id"`
	Status  string  `json:"status"`
	Reason  *string `json:"reason"`
	Total   *int64  `json:"total"`
	Resent  int64   `json:"resent"`
	Skipped int64   `json:"skipped"`
}

// TestRecovery recovers what failed for good while the recovery is asked for twice, paused, resumed and killed
// in the middle of pages, with Temporal and without: each delivery is started anew once. A second recovery is
// cancelled, a third finds nothing to do.
func TestRecovery(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) { recovers(t, p, 600, 100) })
}

// TestLongRecovery does so with as many deliveries as it is told, on a Temporal server that keeps its state in
// PostgreSQL.
func TestLongRecovery(t *testing.T) {
	t.Parallel()
	if *recoveryDeliveries == 0 {
		t.Skip("it takes long: make recovery")
	}
	recovers(t, startDurable(t), *recoveryDeliveries, *recoveryRate)
}

// startDurable starts an installation whose Temporal server keeps its state in PostgreSQL.
func startDurable(t *testing.T) *installation {
	t.Helper()
	cluster := testdb.NewCluster(t)
	p := prepareProductionOn(t, cluster.URL())
	p.temporalSettings = []string{"POSTRIDER_TEMPORAL_DATABASE_URL=" + strings.Replace(cluster.URL(), "/postgres?", "/temporal?", 1)}
	p.start(t)
	return p
}

// recovers tells the story of TestRecovery with so many deliveries, at a rate per second.
func recovers(t *testing.T, p *installation, deliveries, rate int) {
	t.Helper()
	const really = 20
	target := newReceiver(t, failFirst(really+1, http.StatusInternalServerError))
	owner := p.newOwner(t, nil)
	webhook := p.newWebhook(t, owner, target.url, object{"retry_schedule": []string{}})
	before := p.send(t, owner, object{})
	p.await(t, before, "permanently_failed")
	since := time.Now()
	for range really {
		p.await(t, p.send(t, owner, object{}), "permanently_failed")
	}
	// Where the machine is so busy that the receiver answers too late, that must not end a delivery.
	p.call(t, http.MethodPatch, "/api/webhooks/"+webhook.ID, object{"retry_schedule": []string{"1s", "1s", "1s", "1s"}}, http.StatusOK, nil)
	total := int64(deliveries)
	p.patience = 3 * time.Duration(deliveries/rate) * time.Second
	insertFailed(t, p, webhook, owner, deliveries-really)
	// The number of deliveries that arrived.
	arrived := func() int64 { return int64(target.count()) - really - 1 }

	asked := object{"since": since, "rate": rate}
	began := time.Now()
	var made recovery
	p.call(t, http.MethodPost, "/api/webhooks/"+webhook.ID+"/recover", asked, http.StatusAccepted, &made)
	t.Logf("202 after %s", time.Since(began).Round(time.Millisecond))
	var refused problem
	p.call(t, http.MethodPost, "/api/webhooks/"+webhook.ID+"/recover", asked, http.StatusConflict, &refused)
	require.Equal(t, "recovery_active", refused.Code)
	require.Contains(t, refused.Detail, made.ID)

	// Paused and resumed.
	p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Resent > total/10 })
	p.steer(t, made.ID, "pause")
	paused := p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "paused" })
	t.Logf("paused after %s: %+v", time.Since(began).Round(time.Millisecond), paused.Resent)
	require.Equal(t, total, *paused.Total)
	require.Less(t, paused.Resent, total)
	eventually(t, func() bool { return arrived() == paused.Resent }, "what was resent does not arrive")
	p.settled(t)
	require.Equal(t, paused.Resent, arrived(), "nothing is resent during a pause")
	temporal := p.dial(t)
	require.Equal(t, paused.Resent, statusOf(t, temporal, made.ID).Resent)
	require.NoError(t, temporal.SignalWorkflow(t.Context(), made.ID, "", contract.SignalResume, nil))

	// Killed in the middle of pages.
	awaitArrived := func(n int64) {
		t.Helper()
		eventuallyWithin(t, patience+p.patience, func() bool { return arrived() >= n }, "fewer than %d arrived", n)
	}
	awaitArrived(total*4/10 + int64(rate)/2)
	p.postrider.Kill()
	p.postrider = nil
	p.start(t)
	awaitArrived(total*6/10 + int64(rate)/2)
	p.killPostrider()
	p.killTemporal()
	p.start(t)
	done := p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "completed" })
	t.Logf("recovered %d deliveries in %s, asking for %d per second", total, time.Since(began).Round(time.Millisecond), rate)
	require.Equal(t, recovery{ID: made.ID, Status: "completed", Total: &total, Resent: total}, done)
	temporal = p.dial(t)
	requireResentOnce(t, p, webhook, total)
	runs := func() int64 { return countRuns(t, temporal, webhook.ID, "") }
	eventually(t, func() bool { return runs() >= total+really+1 }, "there are fewer runs")
	require.Equal(t, total+really+1, runs(), "one run for each delivery, beside those that failed before")
	require.Zero(t, countRuns(t, temporal, webhook.ID, " AND ExecutionStatus = 'Running'"))
	requireArrived(t, target.all()[really+1:], total)
	require.Equal(t, "permanently_failed", p.delivery(t, before).Status, "it was made before since")
	requireBoundedHistories(t, temporal, made.ID)
	var late problem
	p.call(t, http.MethodPost, "/api/recoveries/"+made.ID+"/pause", nil, http.StatusConflict, &late)
	require.Equal(t, "recovery_finished", late.Code)
	recoversAgain(t, p, webhook.ID, asked, total, func() int64 { return runs() - total - really - 1 })
}

// recoversAgain goes on with the story: another recovery finds nothing that failed; yet another resends what was
// delivered, until it is cancelled. runs counts the runs since.
func recoversAgain(t *testing.T, p *installation, webhookID string, asked object, total int64, runs func() int64) {
	t.Helper()
	temporal := p.dial(t)
	var made recovery
	p.call(t, http.MethodPost, "/api/webhooks/"+webhookID+"/recover", asked, http.StatusAccepted, &made)
	none := int64(0)
	done := p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "completed" })
	require.Equal(t, recovery{ID: made.ID, Status: "completed", Total: &none}, done)
	asked["include"] = "all"
	p.call(t, http.MethodPost, "/api/webhooks/"+webhookID+"/recover", asked, http.StatusAccepted, &made)
	p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Resent > 0 })
	p.steer(t, made.ID, "cancel")
	done = p.awaitRecovery(t, made.ID, func(r recovery) bool { return r.Status == "cancelled" })
	require.Less(t, done.Resent, total)
	require.Equal(t, "cancelled on request", *done.Reason)
	awaitWorkflow(t, temporal, made.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	eventually(t, func() bool { return runs() == done.Resent }, "there are other runs")
}

// insertFailed makes deliveries that failed for good, past the API.
func insertFailed(t *testing.T, p *installation, webhook webhook, owner string, count int) {
	t.Helper()
	db := storetest.Open(t, p.databaseURL)
	now := time.Now().UTC()
	event := models.Event{ID: typeid.New(typeid.KindEvent, now), OwnerID: owner, Type: "order.created", Data: []byte(`{}`), CreatedAt: now}
	require.NoError(t, db.Create(&event).Error)
	deliveries := make([]models.Delivery, count)
	for i := range deliveries {
		deliveries[i] = models.Delivery{
			ID: typeid.New(typeid.KindDelivery, now), EventID: event.ID, WebhookID: webhook.ID, OwnerID: owner,
			Event: event.Type, Host: "x", Status: models.StatusPermanentlyFailed, AttemptCount: 1, RunID: "before", CreatedAt: now,
		}
	}
	const atOnce = 500
	require.NoError(t, db.CreateInBatches(deliveries, atOnce).Error)
}

// requireResentOnce says that every delivery of a recovery arrived, after exactly one resend.
func requireResentOnce(t *testing.T, p *installation, webhook webhook, total int64) {
	t.Helper()
	db := storetest.Open(t, p.databaseURL)
	var found struct{ Delivered, Resent, Resends int64 }
	complete := func() bool {
		require.NoError(t, db.Raw(`SELECT count(*) AS resends, count(DISTINCT a.delivery_id) AS resent,
			count(DISTINCT CASE WHEN d.status = 'delivered' THEN d.id END) AS delivered
			FROM deliveries d JOIN attempts a ON a.delivery_id = d.id
			WHERE d.webhook_id = ? AND a.trigger = 'resend'`, webhook.ID).Scan(&found).Error)
		return found.Delivered == total
	}
	eventuallyWithin(t, patience+p.patience, complete, "not all of %d are delivered: %+v", total, &found)
	p.settled(t)
	complete()
	require.Equal(t, total, found.Delivered)
	require.Equal(t, total, found.Resent)
	require.Equal(t, total, found.Resends)
}

// requireArrived says that each of so many deliveries came to the receiver. What came twice is one attempt, which
// was on its way at a kill.
func requireArrived(t *testing.T, requests []request, total int64) {
	t.Helper()
	first := map[string]string{}
	for _, request := range requests {
		id := request.deliveryID()
		if _, again := first[id]; !again {
			first[id] = request.attempt()
		}
		require.Equal(t, first[id], request.attempt(), "%s came again as another attempt", id)
	}
	require.Len(t, first, int(total))
	t.Logf("%d requests for %d deliveries; those beyond one for each were on their way at a kill", len(requests), total)
}

func countRuns(t *testing.T, temporal client.Client, webhookID, condition string) int64 {
	t.Helper()
	query := "WorkflowType = 'Delivery' AND PostriderWebhook = '" + webhookID + "'" + condition
	counted, err := temporal.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	require.NoError(t, err)
	return counted.GetCount()
}

// requireBoundedHistories looks at every run of a recovery.
func requireBoundedHistories(t *testing.T, temporal client.Client, id string) {
	t.Helper()
	for _, run := range find(t, temporal, "WorkflowId = '"+id+"'") {
		events := len(historyOf(t, temporal, run.workflowID, run.runID).GetEvents())
		t.Logf("run %s has %d events", run.runID, events)
		require.Less(t, events, mostEvents)
	}
}

func (p *installation) recovery(t *testing.T, id string) recovery {
	t.Helper()
	var found recovery
	p.call(t, http.MethodGet, "/api/recoveries/"+id, nil, http.StatusOK, &found)
	return found
}

func (p *installation) steer(t *testing.T, id, step string) {
	t.Helper()
	p.call(t, http.MethodPost, "/api/recoveries/"+id+"/"+step, nil, http.StatusAccepted, nil)
}

// awaitRecovery waits for a condition of a recovery. Its counts never exceed the total and never go back.
func (p *installation) awaitRecovery(t *testing.T, id string, condition func(recovery) bool) recovery {
	t.Helper()
	var found recovery
	eventuallyWithin(t, patience+p.patience, func() bool {
		next := p.recovery(t, id)
		require.GreaterOrEqual(t, next.Resent, found.Resent)
		if next.Total != nil {
			require.LessOrEqual(t, next.Resent+next.Skipped, *next.Total)
		}
		found = next
		return condition(found)
	}, "recovery %s does not get there", id)
	return found
}

func statusOf(t *testing.T, temporal client.Client, id string) contract.RecoveryStatus {
	t.Helper()
	answer, err := temporal.QueryWorkflow(t.Context(), id, "", contract.QueryStatus)
	require.NoError(t, err)
	var status contract.RecoveryStatus
	require.NoError(t, answer.Get(&status))
	return status
}
