package workflows_test

import (
	"context"
	"fmt"
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
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

const (
	testRetention        = 30 * 24 * time.Hour
	testInboundRetention = 7 * 24 * time.Hour
)

// newRetentionEnv has a store with a delivery that arrived and an inbound event that failed, both made at start.
// The workflow runs at an age of them.
func newRetentionEnv(t *testing.T, open opener, age time.Duration, a activities.Activities) (*testsuite.TestWorkflowEnvironment, *store.Store) {
	t.Helper()
	env := newEnv()
	store := openStore(t, open, env.Now)
	storetest.Webhook(t, store)
	published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
	require.NoError(t, err)
	_, err = store.RecordAttempt(t.Context(), models.Outcome{
		Status: models.StatusDelivered, Attempt: models.Attempt{
			ID: models.AttemptID("run", 1, start), DeliveryID: published.Deliveries[0].ID, Number: 1, StartedAt: start,
		},
	})
	require.NoError(t, err)
	source := models.Source{OwnerID: models.DefaultOwnerID, Name: "x", Scheme: "stripe", EventPrefix: "x", Active: true}
	require.NoError(t, store.CreateSource(t.Context(), &source, []string{"s"}))
	inbound := models.InboundEvent{SourceID: source.ID, OwnerID: source.OwnerID, ProviderID: "1", Type: "t", Body: []byte(`{}`)}
	_, err = store.StoreInbound(t.Context(), &inbound)
	require.NoError(t, err)
	require.NoError(t, store.FailInbound(t.Context(), inbound.ID, "x"))
	env.SetStartTime(start.Add(age))
	a.Store, a.Now = store, env.Now
	workflows.Register(env, &a)
	return env, store
}

func TestRetentionDeletesWhatIsOlderThanItIsKept(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		both := activities.Activities{Retention: testRetention, InboundRetention: testInboundRetention}
		sending := map[string]int64{"deliveries": 1, "attempts": 1, "events": 1}
		everything := map[string]int64{"deliveries": 1, "attempts": 1, "events": 1, "inbound_events": 1}
		for name, test := range map[string]struct {
			age  time.Duration
			keep activities.Activities
			want map[string]int64
		}{
			"nothing is old":                       {testInboundRetention - time.Second, both, nil},
			"what was received is old":             {testInboundRetention + time.Second, both, map[string]int64{"inbound_events": 1}},
			"what was sent is nearly old":          {testRetention - time.Second, both, map[string]int64{"inbound_events": 1}},
			"everything is old":                    {testRetention + time.Second, both, everything},
			"received is kept for ever":            {100 * testRetention, activities.Activities{Retention: testRetention}, sending},
			"sent is kept for ever":                {100 * testRetention, activities.Activities{InboundRetention: time.Hour}, map[string]int64{"inbound_events": 1}},
			"everything is kept for ever: nothing": {100 * testRetention, activities.Activities{}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				env, store := newRetentionEnv(t, open, test.age, test.keep)
				// The schedule of an older version starts it without an argument.
				env.ExecuteWorkflow(contract.TypeRetention)
				require.NoError(t, env.GetWorkflowError())
				var result activities.Purging
				require.NoError(t, env.GetWorkflowResult(&result))
				require.True(t, result.Done)
				require.Equal(t, test.want, result.Deleted)
				events, _, err := store.Events(t.Context(), models.Scope{}, models.EventFilter{}, models.Page{})
				require.NoError(t, err)
				require.Len(t, events, int(1-test.want["events"]))
				inbound, _, err := store.InboundEvents(t.Context(), models.Scope{}, models.InboundFilter{}, models.Page{})
				require.NoError(t, err)
				require.Len(t, inbound, int(1-test.want["inbound_events"]))
			})
		}
	})
}

// A run that an older version began goes on as it did, with received webhooks only.
func TestRetentionOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, store := newRetentionEnv(t, open, testRetention+time.Second, activities.Activities{
			Retention: testRetention, InboundRetention: testInboundRetention,
		})
		env.OnGetVersion("purge-everything", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
		env.ExecuteWorkflow(contract.TypeRetention)
		require.NoError(t, env.GetWorkflowError())
		events, _, err := store.Events(t.Context(), models.Scope{}, models.EventFilter{}, models.Page{})
		require.NoError(t, err)
		require.Len(t, events, 1)
		inbound, _, err := store.InboundEvents(t.Context(), models.Scope{}, models.InboundFilter{}, models.Page{})
		require.NoError(t, err)
		require.Empty(t, inbound)
	})
}

// A purge that takes long goes on in a new run where it stopped, with the same idea of what is old.
func TestRetentionContinuesAsNew(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, _ := newRetentionEnv(t, open, 0, activities.Activities{})
		calls := 0
		env.OnActivity((*activities.Activities)(nil).Purge, mock.Anything, mock.Anything).
			Return(func(_ context.Context, in activities.Purging) (activities.Purging, error) {
				calls++
				require.Equal(t, start, in.At.UTC())
				in.What, in.After = models.PurgeDeliveries, fmt.Sprintf("dlv_%02d", calls)
				return in, nil
			})
		env.ExecuteWorkflow(contract.TypeRetention)
		var again *workflow.ContinueAsNewError
		require.ErrorAs(t, env.GetWorkflowError(), &again)
		var next activities.Purging
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
		require.Equal(t, activities.Purging{At: next.At, What: models.PurgeDeliveries, After: "dlv_20"}, next)
		require.Equal(t, start, next.At.UTC())
	})
}

// The next try of an activity that was cut off goes on where its last heartbeat said.
func TestPurgeGoesOnFromItsHeartbeat(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(quiet{})
		env := suite.NewTestActivityEnvironment()
		store := openStore(t, open, time.Now)
		a := &activities.Activities{Store: store, Retention: testRetention, Now: time.Now}
		env.RegisterActivity(a)
		counted := map[string]int64{"deliveries": 7000}
		env.SetHeartbeatDetails(activities.Purging{At: start, What: models.PurgeEvents, After: "evt_x", Deleted: counted})
		value, err := env.ExecuteActivity(a.Purge, activities.Purging{At: start})
		require.NoError(t, err)
		var result activities.Purging
		require.NoError(t, value.Get(&result))
		require.Equal(t, counted, result.Deleted)
		require.True(t, result.Done)
	})
}
