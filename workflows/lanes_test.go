package workflows_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// noteQueues collects the task queues of attempts that are activities of their own.
func (r *rig) noteQueues() *[]string {
	queues := &[]string{}
	r.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "Deliver" {
			*queues = append(*queues, info.TaskQueue)
		}
	})
	return queues
}

// The first attempt to a sick webhook is made in the slow lane. It is attempt 1 all the same.
func TestFirstAttemptInTheSlowLane(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.gaveUp(2, start.Add(-time.Minute))
		queues := r.noteQueues()
		r.receiver.answers(answer{status: http.StatusOK})
		require.NoError(t, r.run())
		require.Equal(t, []string{contract.TaskQueueSlow}, *queues)
		r.requireTimes(0)
		attempts := r.attempts()
		require.Len(t, attempts, 1)
		require.Equal(t, 1, attempts[0].Number)
		require.Equal(t, models.TriggerSchedule, attempts[0].Trigger)
	})
}

// Retries to a webhook that goes on failing are made in the slow lane, those after a first failure are not.
func TestRetriesInTheSlowLane(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		queues := r.noteQueues()
		requireExhausted(t, r.run())
		const slow = contract.TaskQueueSlow
		require.Equal(t, []string{"default-test-taskqueue", slow, slow, slow, slow}, *queues)
		require.Len(t, r.attempts(), 6)
	})
}

// A webhook without room in either lane is asked for again and again; that is no attempt. Someone who asks for
// a resend is not kept waiting.
func TestBusyWebhookIsWaitedFor(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		const moment = 10*time.Minute + time.Second
		for name, test := range map[string]struct {
			resend   bool
			from, to time.Duration
		}{
			"until there is room": {false, moment, moment + time.Minute},
			"until someone asks":  {true, moment, moment},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.activities.Attempts.Lanes = attempt.NewLanes(0)
				r.receiver.answers(answer{status: http.StatusOK})
				r.after(moment, func() {
					require.Equal(t, models.StatusPending, r.row().Status)
					require.Empty(t, r.attempts())
					r.activities.Attempts.Lanes = attempt.NewLanes(1)
					if test.resend {
						r.resend()
					}
				})
				require.NoError(t, r.run())
				requests := r.receiver.requests()
				require.Len(t, requests, 1)
				require.GreaterOrEqual(t, requests[0].at.Sub(start), test.from)
				require.LessOrEqual(t, requests[0].at.Sub(start), test.to)
				require.Len(t, r.attempts(), 1)
			})
		}
	})
}

func TestCancelledWhileItsWebhookIsBusy(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.activities.Attempts.Lanes = attempt.NewLanes(0)
		r.after(time.Minute, r.env.CancelWorkflow)
		requireCanceled(t, r.run())
		require.Equal(t, models.StatusCancelled, r.row().Status)
		require.Empty(t, r.receiver.requests())
	})
}

// Three others have the webhook's next moments. The workflow waits for its own; who asks for a resend does not
// break the limit.
func TestRateLimitIsWaitedForDurably(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, func(webhook *models.Webhook) {
			perMinute := 1.0 / 60
			webhook.RateLimit = &perMinute
		})
		for range 3 {
			_, err := r.store.ReserveRequest(t.Context(), r.webhook.ID, *r.webhook.RateLimit, nil)
			require.NoError(t, err)
		}
		r.receiver.answers(answer{status: http.StatusOK})
		r.after(time.Minute, r.resend)
		r.after(2*time.Minute, func() {
			require.Empty(t, r.attempts())
			pending, err := r.store.PendingDeliveries(context.Background(), r.env.Now(), "", 10)
			require.NoError(t, err)
			require.Empty(t, pending, "the sweep leaves it alone")
		})
		require.NoError(t, r.run())
		require.Len(t, r.receiver.requests(), 1)
		require.GreaterOrEqual(t, r.receiver.requests()[0].at.Sub(start), 3*time.Minute-2*time.Second)
	})
}
