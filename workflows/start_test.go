package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
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

var errTemporalAway = errors.New("no answer from Temporal")

// starts notes which deliveries were started, after failing some calls.
type starts struct {
	activities.RecoveryStarter
	mu   sync.Mutex
	fail int
	ids  map[string]int
	// afterFirst, unless nil, runs once, behind the first page that is released.
	afterFirst func()
}

func (s *starts) StartDeliveries(_ context.Context, deliveries []models.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errTemporalAway
	}
	for _, delivery := range deliveries {
		s.ids[delivery.ID]++
	}
	return nil
}

func (s *starts) WakeAll(ctx context.Context, deliveries []models.Delivery) error {
	return s.StartDeliveries(ctx, deliveries)
}

func (s *starts) MoveUp(first func(ctx context.Context) (models.Delivery, error)) {
	if delivery, err := first(context.Background()); err == nil {
		_ = s.StartDeliveries(context.Background(), []models.Delivery{delivery})
	}
}

func (s *starts) StartInbound(context.Context, []models.InboundEvent) error { return nil }

func (s *starts) Release(_ context.Context, ids []string, _ contract.ReleaseSignal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.ids[id]++
	}
	if s.afterFirst != nil {
		s.afterFirst()
		s.afterFirst = nil
	}
	return nil
}

func (s *starts) StartRecoveries(_ context.Context, recoveries []models.Recovery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, recovery := range recoveries {
		s.ids[recovery.ID]++
	}
	return nil
}

func (s *starts) StartOwnerDeletions(_ context.Context, ownerIDs []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ownerIDs {
		s.ids[id]++
	}
	return nil
}

func (s *starts) CancelDeliveries(_ context.Context, deliveries []models.Delivery) error {
	return s.StartDeliveries(context.Background(), deliveries)
}

func (s *starts) CancelRecoveries(ctx context.Context, recoveries []models.Recovery) error {
	return s.StartRecoveries(ctx, recoveries)
}

// newStartRig has a store with webhooks that match everything.
func newStartRig(t *testing.T, open opener, webhooks int) (*testsuite.TestWorkflowEnvironment, *store.Store, *starts) {
	t.Helper()
	env := newEnv()
	store := openStore(t, open, env.Now)
	started := &starts{ids: map[string]int{}}
	workflows.Register(env, &activities.Activities{
		Store: store, Starter: started, Canceller: started, Now: env.Now,
	})
	for range webhooks {
		storetest.Webhook(t, store)
	}
	return env, store, started
}

func requireAllOnce(t *testing.T, want int, started *starts) {
	t.Helper()
	require.Len(t, started.ids, want)
	for id, times := range started.ids {
		require.Equal(t, 1, times, id)
	}
}

func TestFanOutStartsEveryDeliveryOfItsEvent(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, webhooks := range []int{1, 200, 201, 450} {
			t.Run(fmt.Sprint(webhooks), func(t *testing.T) {
				t.Parallel()
				env, store, started := newStartRig(t, open, webhooks)
				started.fail = 2
				env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
					require.Equal(t, 10*time.Second, info.HeartbeatTimeout, "the death of the process is noticed soon")
				})
				published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
				require.NoError(t, err)
				_, err = store.Publish(t.Context(), models.Event{Type: "b", Data: []byte(`{}`)})
				require.NoError(t, err)
				env.ExecuteWorkflow(workflows.FanOut, contract.FanOutInput{EventID: published.Event.ID})
				require.NoError(t, env.GetWorkflowError())
				requireAllOnce(t, webhooks, started)
			})
		}
	})
}

func TestSweepStartsWhatIsPendingAndOldEnough(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, store, started := newStartRig(t, open, 1)
		old, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
		require.NoError(t, err)
		done, err := store.Publish(t.Context(), models.Event{Type: "b", Data: []byte(`{}`)})
		require.NoError(t, err)
		require.NoError(t, store.CancelDelivery(t.Context(), done.Deliveries[0].ID, models.CauseRequest, "x"))
		// The sweep begins a minute later; an event published then is too young for it.
		env.SetStartTime(start.Add(time.Minute))
		_, err = store.Publish(t.Context(), models.Event{Type: "c", Data: []byte(`{}`)})
		require.NoError(t, err)
		env.ExecuteWorkflow(workflows.Sweep, contract.SweepInput{MinAge: contract.SweepAge})
		require.NoError(t, env.GetWorkflowError())
		requireAllOnce(t, 1, started)
		require.Contains(t, started.ids, old.Deliveries[0].ID)
	})
}

// A long backlog is worked on in several runs, so that no history grows without bound.
func TestSweepContinuesAsNew(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, _, _ := newStartRig(t, open, 0)
		pages := 0
		env.OnActivity((*activities.Activities)(nil).StartPending, mock.Anything, mock.Anything).
			Return(func(context.Context, activities.StartInput) (activities.StartResult, error) {
				pages++
				return activities.StartResult{Started: 200, Last: typeid.New(typeid.KindDelivery, start)}, nil
			})
		env.ExecuteWorkflow(workflows.Sweep, contract.SweepInput{})
		var again *workflow.ContinueAsNewError
		require.ErrorAs(t, env.GetWorkflowError(), &again)
		require.Equal(t, 100, pages)
	})
}
