package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/workflows"
)

// forEver is the input of the sweep that goes on for ever.
var forEver = contract.SweepInput{Every: contract.SweepInterval, MinAge: contract.SweepAge}

// sweeping runs the sweep, and notes when it comes by and what it looks for.
func sweeping(t *testing.T, in contract.SweepInput, steer func(at func(after time.Duration, signal string))) (swept []time.Duration, madeBy []time.Time, next contract.SweepInput) {
	t.Helper()
	env := newEnv()
	workflows.Register(env, &activities.Activities{Now: env.Now})
	env.SetStartTime(start)
	env.OnActivity((*activities.Activities)(nil).StartPending, mock.Anything, mock.Anything).
		Return(func(_ context.Context, in activities.StartInput) (activities.StartResult, error) {
			swept = append(swept, env.Now().Sub(start))
			madeBy = append(madeBy, in.MadeBy)
			return activities.StartResult{}, nil
		})
	env.OnActivity((*activities.Activities)(nil).StartPendingInbound, mock.Anything, mock.Anything).Return(activities.StartResult{}, nil)
	env.OnActivity((*activities.Activities)(nil).StartPendingRecoveries, mock.Anything, mock.Anything).Return(nil)
	env.OnUpsertMemo(mock.Anything).Return(nil)
	steer(func(after time.Duration, signal string) {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(signal, nil) }, after)
	})
	env.ExecuteWorkflow(workflows.Sweep, in)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	return swept, madeBy, next
}

// The sweep comes by every ten seconds for an hour, each time for what is ten seconds old, and then goes on in another run.
func TestSweepComesByForEver(t *testing.T) {
	t.Parallel()
	swept, madeBy, next := sweeping(t, forEver, func(func(time.Duration, string)) {})
	require.Len(t, swept, 360)
	for i := range swept {
		require.Equal(t, time.Duration(i)*contract.SweepInterval, swept[i])
		require.Equal(t, start.Add(swept[i]-contract.SweepAge), madeBy[i].UTC())
	}
	require.Equal(t, forEver, next)
}

// Who pauses the sweep has it wait; the next run waits too.
func TestSweepIsPaused(t *testing.T) {
	t.Parallel()
	swept, _, next := sweeping(t, forEver, func(at func(time.Duration, string)) {
		at(25*time.Second, contract.SignalPause)
		at(26*time.Second, contract.SignalPause)
		at(55*time.Second, contract.SignalResume)
		at(95*time.Second, contract.SignalPause)
	})
	require.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second, 60 * time.Second, 70 * time.Second, 80 * time.Second, 90 * time.Second}, swept)
	require.True(t, next.Paused)

	swept, _, _ = sweeping(t, next, func(at func(time.Duration, string)) {
		at(time.Second, contract.SignalResume)
		at(11*time.Second, contract.SignalPause)
	})
	require.Equal(t, []time.Duration{10 * time.Second}, swept)
}

// A sweep that takes longer than the interval is followed by the next at once, and never by two.
func TestSweepThatTakesLong(t *testing.T) {
	t.Parallel()
	env := newEnv()
	workflows.Register(env, &activities.Activities{Now: env.Now})
	env.SetStartTime(start)
	var began []time.Duration
	env.OnActivity((*activities.Activities)(nil).StartPending, mock.Anything, mock.Anything).After(25 * time.Second).
		Return(func(context.Context, activities.StartInput) (activities.StartResult, error) {
			began = append(began, env.Now().Sub(start))
			return activities.StartResult{}, nil
		})
	env.OnActivity((*activities.Activities)(nil).StartPendingInbound, mock.Anything, mock.Anything).Return(activities.StartResult{}, nil)
	env.OnActivity((*activities.Activities)(nil).StartPendingRecoveries, mock.Anything, mock.Anything).Return(nil)
	env.RegisterDelayedCallback(env.CancelWorkflow, 80*time.Second)
	env.ExecuteWorkflow(workflows.Sweep, forEver)
	require.Error(t, env.GetWorkflowError())
	require.Len(t, began, 3)
	require.Equal(t, 25*time.Second, began[1]-began[0])
}
