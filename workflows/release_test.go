package workflows_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// change changes the rig's webhook as the API does, and tells its delivery.
func (r *rig) change(change func(*models.Webhook)) {
	r.t.Helper()
	_, err := r.store.UpdateWebhook(context.Background(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		change(w)
		return nil
	})
	require.NoError(r.t, err)
	healths, err := r.store.WebhookHealths(context.Background(), []string{r.webhook.ID})
	require.NoError(r.t, err)
	r.env.SignalWorkflow(contract.SignalRelease, contract.ReleaseSignal{Receiver: healths[r.webhook.ID].Receiver})
}

func perSecond(limit float64) option {
	return func(webhook *models.Webhook) { webhook.RateLimit = &limit }
}

// reserve takes the webhook's next moments, as other deliveries do.
func (r *rig) reserve(moments int) {
	r.t.Helper()
	for range moments {
		_, err := r.store.ReserveRequest(r.t.Context(), r.webhook.ID, *r.webhook.RateLimit, nil)
		require.NoError(r.t, err)
	}
}

// Ten others have the moments of the next thousand seconds. A change of the limit makes that untrue at once.
func TestRateLimitThatIsChangedWhileADeliveryWaits(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		const moment = time.Minute
		hundred := 100.0
		lift := func(w *models.Webhook) { w.RateLimit = nil }
		raise := func(w *models.Webhook) { w.RateLimit = &hundred }
		pause := func(w *models.Webhook) { w.Active = false }
		resume := func(w *models.Webhook) { w.Active = true }
		for name, changes := range map[string][]func(*models.Webhook){
			"raised":                {raise},
			"lifted":                {lift},
			"lifted, then set":      {lift, raise},
			"paused, then resumed":  {pause, resume},
			"raised, while a pause": {pause, raise, resume},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open, perSecond(0.01))
				r.reserve(10)
				r.receiver.answers(answer{status: http.StatusOK})
				r.after(moment, func() {
					require.Empty(t, r.receiver.requests())
					for _, change := range changes {
						r.change(change)
					}
				})
				require.NoError(t, r.run())
				r.requireTimes(moment)
			})
		}
	})
}

// Someone asks for the delivery after the limit was raised: it need not have been told of that.
func TestResendUnderARaisedRateLimit(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, perSecond(0.01))
		r.reserve(10)
		r.receiver.answers(answer{status: http.StatusOK})
		hundred := 100.0
		r.after(time.Minute, func() {
			_, err := r.store.UpdateWebhook(context.Background(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
				w.RateLimit = &hundred
				return nil
			})
			require.NoError(t, err)
			r.resend()
		})
		require.NoError(t, r.run())
		r.requireTimes(time.Minute)
		require.Equal(t, models.TriggerResend, r.attempts()[0].Trigger)
	})
}

// A run that waits since before the change of the workflow goes on waiting, as its history says.
func TestResendUnderARateLimitInAnOldRun(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, perSecond(0.01))
		r.env.OnGetVersion("resend-under-rate-limit", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
		r.reserve(3)
		r.receiver.answers(answer{status: http.StatusOK})
		r.after(time.Minute, r.resend)
		require.NoError(t, r.run())
		require.Equal(t, models.TriggerSchedule, r.attempts()[0].Trigger)
	})
}

// Nobody told the delivery. It asks by itself: after ten minutes, and then after as long as it has waited.
func TestRateLimitThatIsRaisedUnheard(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, perSecond(0.01))
		r.reserve(1000)
		r.receiver.answers(answer{status: http.StatusOK})
		hundred := 100.0
		r.after(25*time.Minute, func() {
			_, err := r.store.UpdateWebhook(context.Background(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
				w.RateLimit = &hundred
				return nil
			})
			require.NoError(t, err)
		})
		require.NoError(t, r.run())
		r.requireTimes(40 * time.Minute)
	})
}

// A lower limit holds for those too that were given their moments under a higher one.
func TestRateLimitThatIsLowered(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, perSecond(0.1))
		r.reserve(6)
		r.receiver.answers(answer{status: http.StatusOK})
		lower := 0.01
		r.after(30*time.Second, func() {
			r.change(func(w *models.Webhook) { w.RateLimit = &lower })
			// Another delivery comes first.
			_, err := r.store.ReserveRequest(context.Background(), r.webhook.ID, 0.1, nil)
			require.NoError(t, err)
		})
		require.NoError(t, r.run())
		require.GreaterOrEqual(t, r.receiver.requests()[0].at.Sub(start), 2*time.Minute)
	})
}

// A receiver that wants to be left alone for an hour is left: neither what it held back nor its failures are the new
// one's.
func TestURLThatIsChangedWhileADeliveryWaits(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		t.Run("a first attempt is held back", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.throttle(start.Add(time.Hour))
			other := newReceiver(t, r.env.Now)
			other.answers(answer{status: http.StatusOK})
			r.after(time.Minute, func() { r.change(func(w *models.Webhook) { w.URL = other.URL }) })
			require.NoError(t, r.run())
			require.Empty(t, r.receiver.requests())
			require.Equal(t, start.Add(time.Minute), other.requests()[0].at)
		})
		t.Run("a retry waits", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.receiver.answers(answer{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "3600"}})
			other := newReceiver(t, r.env.Now)
			other.answers(answer{status: http.StatusInternalServerError}, answer{status: http.StatusOK})
			r.after(time.Minute, func() { r.change(func(w *models.Webhook) { w.URL = other.URL }) })
			require.NoError(t, r.run())
			r.requireTimes(0)
			require.Len(t, other.requests(), 2)
			require.Equal(t, start.Add(time.Minute), other.requests()[0].at)
			require.Equal(t, start.Add(time.Hour), other.requests()[1].at, "the extra attempt used up no retry")
			for _, attempt := range r.attempts() {
				require.Equal(t, models.TriggerSchedule, attempt.Trigger)
			}
		})
		t.Run("no other change touches a retry", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.receiver.fails(1)
			one := 1.0
			r.after(10*time.Second, func() { r.change(func(w *models.Webhook) { w.RateLimit = &one }) })
			require.NoError(t, r.run())
			r.requireTimes(0, time.Minute)
		})
	})
}

// Everything that waits is told once, however much it is; a change on the way makes for another pass.
func TestReleaseTellsAllThatWait(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct {
			retries, again bool
			want           int
		}{
			"what has had no attempt": {false, false, 1},
			"retries too":             {true, false, 1},
			"changed once more":       {false, true, 2},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				env, store, told := newStartRig(t, open, 2)
				waiting := map[string]bool{}
				webhooks, _, err := store.Webhooks(t.Context(), models.Scope{}, models.WebhookFilter{}, models.Page{})
				require.NoError(t, err)
				for n := range 205 {
					published, err := store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`)})
					require.NoError(t, err)
					for _, delivery := range published.Deliveries {
						if delivery.WebhookID != webhooks[0].ID {
							continue
						}
						if waiting[delivery.ID] = n > 1 || test.retries; n <= 1 {
							failed(t, store, delivery.ID)
						}
					}
				}
				in := contract.ReleaseInput{ReleasePage: contract.ReleasePage{WebhookID: webhooks[0].ID, Retries: test.retries}}
				if test.again {
					told.afterFirst = func() { env.SignalWorkflow(contract.SignalRelease, in) }
				}
				env.ExecuteWorkflow(workflows.Release, in)
				require.NoError(t, env.GetWorkflowError())
				want := map[string]int{}
				for id, waits := range waiting {
					if waits {
						want[id] = test.want
					}
				}
				require.Equal(t, want, told.ids)
			})
		}
	})
}

func failed(t *testing.T, store *store.Store, deliveryID string) {
	t.Helper()
	next := start.Add(time.Minute)
	_, err := store.RecordAttempt(t.Context(), models.Outcome{
		Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, start), DeliveryID: deliveryID, Number: 1, Trigger: models.TriggerSchedule,
			ErrorClass: models.ErrorHTTPStatus, StartedAt: start,
		},
		Status: models.StatusFailed, RunID: "run", NextAttemptAt: &next,
	})
	require.NoError(t, err)
}

// A long history is continued where it was, with what it was told.
func TestReleaseContinues(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, _, _ := newStartRig(t, open, 0)
		env.OnActivity((*activities.Activities)(nil).ReleaseWaiting, mock.Anything, mock.Anything).
			Return(activities.ReleaseResult{Released: 1, Last: "dlv_x"}, nil)
		in := contract.ReleaseInput{ReleasePage: contract.ReleasePage{WebhookID: "wh_a"}}
		env.ExecuteWorkflow(workflows.Release, in)
		var continued *workflow.ContinueAsNewError
		require.True(t, errors.As(env.GetWorkflowError(), &continued))
		var next contract.ReleaseInput
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(continued.Input, &next))
		in.Status, in.After = string(models.StatusPending), "dlv_x"
		require.Equal(t, in, next)
	})
}
