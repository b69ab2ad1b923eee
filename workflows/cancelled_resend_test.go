package workflows_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// What was asked for after a cancellation is made, by a run that can be cancelled again; what was asked for before it,
// or taken back, is not.
func TestResendOfACancelledRun(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		asked := contract.ResendSignal{RequestedBy: "key_x"}
		before := contract.ResendSignal{RequestedBy: "key_x", BeforeCancel: true}
		withdrawn := contract.ResendSignal{Withdrawn: true}
		for name, test := range map[string]struct {
			signals []any
			made    bool
		}{
			"asked for":                   {[]any{asked}, true},
			"without an argument":         {[]any{nil}, true},
			"with one of another kind":    {[]any{"me"}, true},
			"asked for before":            {[]any{before}, false},
			"before and after":            {[]any{before, asked}, true},
			"after and before, in a race": {[]any{asked, before}, true},
			"taken back":                  {[]any{asked, withdrawn}, false},
			"taken back and asked for":    {[]any{asked, withdrawn, asked}, true},
			"not at all":                  {nil, false},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.after(10*time.Second, func() {
					r.env.CancelWorkflow()
					for _, signal := range test.signals {
						r.env.SignalWorkflow(contract.SignalResend, signal)
					}
				})
				err := r.run()
				r.requireTimes(0)
				require.Equal(t, models.StatusCancelled, r.row().Status)
				if !test.made {
					requireCanceled(t, err)
					return
				}
				r.continues(err)
				require.Equal(t, models.StatusDelivered, r.row().Status)
				require.Equal(t, models.TriggerResend, r.attempts()[1].Trigger)
			})
		}
	})
}

// continues runs what the delivery's run was continued as, to the end; the receiver is well by then.
func (r *rig) continues(err error) {
	r.t.Helper()
	var continued *workflow.ContinueAsNewError
	require.True(r.t, errors.As(err, &continued), err)
	var next contract.DeliveryInput
	require.NoError(r.t, converter.GetDefaultDataConverter().FromPayloads(continued.Input, &next))
	require.Equal(r.t, contract.DeliveryInput{DeliveryID: r.delivery.ID, Resend: true}, next)
	now := r.env.Now()
	r.receiver.answers(answer{status: http.StatusOK})
	env := newEnv()
	env.SetStartTime(now.Add(time.Second))
	r.env, r.activities.Now = env, env.Now
	workflows.Register(env, r.activities)
	env.ExecuteWorkflow(workflows.Delivery, next)
	require.NoError(r.t, env.GetWorkflowError())
}

// The resend arrives while the cancellation is being recorded, which is the last that the run does.
func TestResendAsACancelledRunCloses(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.store.cancelling = r.resend
		r.after(10*time.Second, r.env.CancelWorkflow)
		r.continues(r.run())
		require.Equal(t, models.StatusDelivered, r.row().Status)
	})
}

// A run from before the change ends as it did.
func TestResendOfACancelledOldRun(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.env.OnGetVersion("resend-after-cancel", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
		r.after(10*time.Second, func() {
			r.env.CancelWorkflow()
			r.resend()
		})
		requireCanceled(t, r.run())
	})
}

// The delivery is cancelled in the database, before its workflow runs, while the first attempt is made: what that
// attempt comes to does not bring it back to life, unless it succeeds.
func TestCancelledInTheDatabaseDuringAnAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for status, want := range map[int]models.Status{
			http.StatusOK:                  models.StatusDelivered,
			http.StatusInternalServerError: models.StatusCancelled,
			http.StatusGone:                models.StatusCancelled,
		} {
			t.Run(http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.receiver.answers(answer{status: status, before: func() {
					require.NoError(t, r.store.CancelDelivery(context.Background(), r.delivery.ID, models.CauseRequest, "cancelled on request"))
				}})
				err := r.run()
				if want == models.StatusCancelled {
					requireCanceled(t, err)
				} else {
					require.NoError(t, err)
				}
				r.requireTimes(0)
				require.Equal(t, want, r.row().Status)
				require.Equal(t, 1, r.row().AttemptCount)
				require.Empty(t, r.email.notices)
			})
		}
	})
}
