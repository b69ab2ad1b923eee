package activities_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/models"
)

var errHeard = errors.New("the heartbeat was heard")

// slowStore answers only when its caller has sent a heartbeat.
type slowStore struct {
	activities.Store
	heartbeat chan struct{}
}

// slowAttempts is the same for what attempts need of the database.
type slowAttempts struct {
	attempt.Store
	*slowStore
}

func (s slowAttempts) Job(ctx context.Context, _, _ string) (models.Job, error) {
	return models.Job{}, s.wait(ctx)
}

func (s *slowStore) PendingDeliveries(ctx context.Context, _ time.Time, _ string, _ int) ([]models.Delivery, error) {
	return nil, s.wait(ctx)
}

func (s *slowStore) PendingInbound(ctx context.Context, _ time.Time, _ string, _ int) ([]models.InboundEvent, error) {
	return nil, s.wait(ctx)
}

func (s *slowStore) wait(ctx context.Context) error {
	select {
	case <-s.heartbeat:
		return errHeard
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A database that lets an activity wait must not make its process look dead: the activity would be repeated
// by another one while it goes on.
func TestHeartbeatWhileTheDatabaseIsSlow(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*activities.Activities) (activity any, input any){
		"deliver":       func(a *activities.Activities) (any, any) { return a.Deliver, activities.AttemptInput{} },
		"start":         func(a *activities.Activities) (any, any) { return a.StartPending, activities.StartInput{} },
		"start inbound": func(a *activities.Activities) (any, any) { return a.StartPendingInbound, activities.StartInput{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &slowStore{heartbeat: make(chan struct{}, 100)}
				a := &activities.Activities{Store: store, Now: time.Now, Attempts: &attempt.Maker{Store: slowAttempts{slowStore: store}, Now: time.Now}}
				var suite testsuite.WorkflowTestSuite
				env := suite.NewTestActivityEnvironment()
				env.SetTestTimeout(time.Minute)
				env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { store.heartbeat <- struct{}{} })
				env.RegisterActivity(a)
				function, input := call(a)
				_, err := env.ExecuteActivity(function, input)
				require.ErrorContains(t, err, errHeard.Error())
			})
		})
	}
}
