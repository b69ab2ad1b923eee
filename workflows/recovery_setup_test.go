package workflows_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// resends takes the place of Temporal for what a recovery starts: it notes what is started and when, and has
// the attempt recorded at once.
type resends struct {
	activities.Starter
	store *store.Store
	now   func() time.Time

	mu sync.Mutex
	// fail and failAfter make that many calls fail when some of their deliveries are started.
	fail, failAfter int
	counts          map[string]int
	pages           []page
	// before runs before a page.
	before func()
}

type page struct {
	at time.Duration
	n  int
}

func (r *resends) StartRecovered(ctx context.Context, _, _ string, deliveries []models.Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before != nil {
		r.before()
	}
	r.pages = append(r.pages, page{r.now().Sub(start), len(deliveries)})
	for i, delivery := range deliveries {
		if r.fail > 0 && i == r.failAfter {
			r.fail--
			return errTemporalAway
		}
		r.counts[delivery.ID]++
		if _, err := r.store.RecordAttempt(ctx, models.Outcome{Status: models.StatusDelivered, Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, r.store.Now()), DeliveryID: delivery.ID, Number: delivery.AttemptCount + 1,
			Trigger: models.TriggerResend, StartedAt: r.store.Now(),
		}}); err != nil {
			return err
		}
	}
	return nil
}

// recoveryRig runs one recovery with time skipped, on a real store.
type recoveryRig struct {
	t          *testing.T
	env        *testsuite.TestWorkflowEnvironment
	store      *store.Store
	starter    *resends
	recovery   models.Recovery
	deliveries []models.Delivery
}

// newRecoveryRig has a recovery of deliveries that failed for good.
func newRecoveryRig(t *testing.T, open opener, deliveries, rate int) *recoveryRig {
	t.Helper()
	r := &recoveryRig{t: t}
	r.newEnv()
	r.store = openStore(t, open, func() time.Time { return r.env.Now() })
	r.starter = &resends{store: r.store, now: func() time.Time { return r.env.Now() }, counts: map[string]int{}}
	webhook := storetest.Webhook(t, r.store)
	for range deliveries {
		published, err := r.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`)})
		require.NoError(t, err)
		delivery := published.Deliveries[0]
		_, err = r.store.RecordAttempt(t.Context(), models.Outcome{Status: models.StatusPermanentlyFailed, Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, start), DeliveryID: delivery.ID, Number: 1, StartedAt: start,
		}})
		require.NoError(t, err)
		r.deliveries = append(r.deliveries, delivery)
	}
	// In the order in which a recovery takes them.
	slices.SortFunc(r.deliveries, func(a, b models.Delivery) int { return strings.Compare(a.ID, b.ID) })
	r.recovery = models.Recovery{
		WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Since: start.Add(-time.Hour), Until: start.Add(time.Hour),
		Include: models.IncludeFailed, Rate: rate,
	}
	require.NoError(t, r.store.CreateRecovery(t.Context(), &r.recovery))
	r.register()
	return r
}

// newEnv begins a new run.
func (r *recoveryRig) newEnv() {
	r.env = newEnv()
}

func (r *recoveryRig) register() {
	workflows.Register(r.env, &activities.Activities{
		Store: r.store, Starter: r.starter, Now: r.env.Now,
	})
}

func (r *recoveryRig) run() error {
	r.t.Helper()
	return r.runWith(contract.RecoveryInput{RecoveryID: r.recovery.ID})
}

func (r *recoveryRig) runWith(in contract.RecoveryInput) error {
	r.t.Helper()
	r.env.ExecuteWorkflow(workflows.Recovery, in)
	require.True(r.t, r.env.IsWorkflowCompleted())
	return r.env.GetWorkflowError()
}

func (r *recoveryRig) after(d time.Duration, do func()) { r.env.RegisterDelayedCallback(do, d) }

func (r *recoveryRig) pause() { r.env.SignalWorkflow(contract.SignalPause, nil) }

func (r *recoveryRig) resume() { r.env.SignalWorkflow(contract.SignalResume, nil) }

func (r *recoveryRig) row() models.Recovery {
	r.t.Helper()
	row, err := r.store.Recovery(context.Background(), models.Scope{}, r.recovery.ID)
	require.NoError(r.t, err)
	return row
}

// requireShown asserts what database and query say, which is the same.
func (r *recoveryRig) requireShown(status models.RecoveryStatus, reason string, resent int64) {
	r.t.Helper()
	row := r.row()
	require.Equal(r.t, status, row.Status)
	require.Equal(r.t, reason, row.Reason)
	require.Equal(r.t, resent, row.Resent)
	value, err := r.env.QueryWorkflow(contract.QueryStatus)
	require.NoError(r.t, err)
	var shown contract.RecoveryStatus
	require.NoError(r.t, value.Get(&shown))
	require.Equal(r.t, contract.RecoveryStatus{RecoveryID: r.recovery.ID, RecoveryProgress: contract.RecoveryProgress{
		Status: string(status), Reason: reason, Collected: true, Total: int64(len(r.deliveries)), Resent: resent, Rate: row.Rate,
	}}, shown)
}

// requireOnce asserts that the first n deliveries were resent once, and no other.
func (r *recoveryRig) requireOnce(n int) {
	r.t.Helper()
	want := map[string]int{}
	for _, delivery := range r.deliveries[:n] {
		want[delivery.ID] = 1
	}
	require.Equal(r.t, want, r.starter.counts)
}
