package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

func TestRecoveryResendsSoManyPerSecond(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 25, 10)
		require.NoError(t, r.run())
		require.Equal(t, []page{{0, 10}, {time.Second, 10}, {2 * time.Second, 5}}, r.starter.pages)
		r.requireShown(models.RecoveryCompleted, "", 25)
		r.requireOnce(25)
	})
}

func TestRecoveryOfNothingCompletes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 0, 10)
		require.NoError(t, r.run())
		require.Empty(t, r.starter.pages)
		r.requireShown(models.RecoveryCompleted, "", 0)
	})
}

func TestRecoveryPausesAndResumes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 30, 10)
		r.after(1500*time.Millisecond, r.pause)
		r.after(10*time.Second, r.pause) // of no consequence
		r.after(time.Hour, func() {
			r.requireShown(models.RecoveryPaused, "paused on request", 20)
			r.resume()
		})
		// While an activity runs, the environment's clock goes with the real one: what is shown meanwhile, the page itself looks up.
		var during []models.RecoveryStatus
		r.starter.before = func() { during = append(during, r.row().Status) }
		require.NoError(t, r.run())
		require.Equal(t, slices.Repeat([]models.RecoveryStatus{models.RecoveryRunning}, 3), during)
		r.requireShown(models.RecoveryCompleted, "", 30)
		require.Equal(t, []page{{0, 10}, {time.Second, 10}, {time.Hour, 10}}, r.starter.pages)
		r.requireOnce(30)
	})
}

// Whoever pauses and resumes without rest does not make it faster. Of a pause and a resume within one page, the
// pause holds.
func TestPausingDoesNotBreakTheRate(t *testing.T) {
	t.Parallel()
	// On SQLite only: while an activity runs, the environment's clock goes with the real one, and a database that is slow
	// for a second would miss the resume at the end.
	r := newRecoveryRig(t, storetest.SQLite, 20, 10)
	for _, ms := range []time.Duration{100, 300, 500, 700} {
		r.after(ms*time.Millisecond, r.pause)
		r.after((ms+100)*time.Millisecond, r.resume)
	}
	r.after(1300*time.Millisecond, r.resume)
	require.NoError(t, r.run())
	// For the same reason the first page may come a little late.
	require.Len(t, r.starter.pages, 2)
	require.Less(t, r.starter.pages[0].at, time.Second)
	require.Equal(t, page{1300 * time.Millisecond, 10}, r.starter.pages[1])
}

func TestRecoveryPausedBeforeItBegins(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 5, 10)
		r.after(0, r.pause)
		r.after(time.Minute, func() {
			require.Equal(t, models.RecoveryPaused, r.row().Status)
			require.Empty(t, r.starter.pages)
			r.resume()
		})
		require.NoError(t, r.run())
		r.requireOnce(5)
	})
}

func TestRecoveryIsCancelled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, before := range map[string]func(*recoveryRig){
			"while it runs":      func(*recoveryRig) {},
			"while it is paused": func(r *recoveryRig) { r.after(200*time.Millisecond, r.pause) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRecoveryRig(t, open, 30, 10)
				before(r)
				r.after(1500*time.Millisecond, r.env.CancelWorkflow)
				requireCanceled(t, r.run())
				row := r.row()
				require.Equal(t, models.RecoveryCancelled, row.Status)
				require.Equal(t, "cancelled on request", row.Reason)
				r.requireOnce(int(row.Resent))
			})
		}
	})
}

// A page under way is finished and counted although the recovery is cancelled in its middle.
func TestRecoveryIsCancelledInAPage(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 30, 10)
		r.starter.before = r.env.CancelWorkflow
		requireCanceled(t, r.run())
		r.requireShown(models.RecoveryCancelled, "cancelled on request", 10)
		r.requireOnce(10)
	})
}

// Temporal fails in the middle of a page: what was started is not started again.
func TestRecoveryGoesOnInAPage(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 25, 10)
		r.starter.fail, r.starter.failAfter = 3, 2
		require.NoError(t, r.run())
		r.requireOnce(25)
		r.requireShown(models.RecoveryCompleted, "", 25)
	})
}

// Missed events follow what failed, at the same rate, each as one delivery although Temporal fails in between.
func TestRecoveryOfMissedEvents(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 5, 10)
		_, err := r.store.SetRecoveryStatus(t.Context(), r.recovery.ID, models.RecoveryCancelled, "")
		require.NoError(t, err)
		set := func(active bool) {
			_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.recovery.WebhookID, func(w *models.Webhook) error {
				w.Active = active
				return nil
			})
			require.NoError(t, err)
		}
		set(false)
		missed := map[string]bool{}
		for range 20 {
			published, err := r.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`)})
			require.NoError(t, err)
			missed[published.Event.ID] = true
		}
		set(true)
		r.recovery.Include = models.IncludeMissed
		require.NoError(t, r.store.CreateRecovery(t.Context(), &r.recovery))
		r.starter.fail, r.starter.failAfter = 3, 7
		require.NoError(t, r.run())
		row := r.row()
		require.Equal(t, models.RecoveryCompleted, row.Status)
		require.EqualValues(t, 25, row.Resent)
		require.Zero(t, row.Skipped)
		require.Len(t, r.starter.counts, 25)
		for id, count := range r.starter.counts {
			require.Equal(t, 1, count)
			delivery, err := r.store.Delivery(t.Context(), models.Scope{}, id)
			require.NoError(t, err)
			require.Equal(t, models.StatusDelivered, delivery.Status)
			delete(missed, delivery.EventID)
		}
		require.Empty(t, missed)
		perSecond := map[time.Duration]int{}
		for _, page := range r.starter.pages {
			perSecond[page.at.Truncate(time.Second)] = max(perSecond[page.at.Truncate(time.Second)], page.n)
		}
		for at, n := range perSecond {
			require.LessOrEqual(t, n, 10, at)
		}
	})
}

func TestRecoveryPausesWhileItsWebhookIsInactive(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 30, 10)
		set := func(active bool, reason string) {
			_, err := r.store.UpdateWebhook(context.Background(), models.Scope{}, r.recovery.WebhookID, func(w *models.Webhook) error {
				w.Active, w.DisabledReason = active, reason
				return nil
			})
			require.NoError(t, err)
		}
		r.after(500*time.Millisecond, func() { set(false, "gone") })
		r.after(time.Minute, func() {
			r.requireShown(models.RecoveryPaused, "the webhook is disabled: gone", 10)
			require.Equal(t, start.Add(time.Second), r.row().UpdatedAt.UTC(), "it does not try again and again")
			r.resume() // too early
		})
		r.after(2*time.Minute, func() {
			r.requireShown(models.RecoveryPaused, "the webhook is disabled: gone", 10)
			set(true, "")
			r.resume()
		})
		require.NoError(t, r.run())
		require.Equal(t, []page{{0, 10}, {2 * time.Minute, 10}, {2*time.Minute + time.Second, 10}}, r.starter.pages)
		r.requireOnce(30)
	})
}

func TestRecoveryEndsWithItsWebhook(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 30, 10)
		r.after(500*time.Millisecond, func() {
			require.NoError(t, r.store.DeleteWebhook(context.Background(), models.Scope{}, r.recovery.WebhookID))
		})
		err := r.run()
		requireCanceled(t, err)
		r.requireShown(models.RecoveryCancelled, "the webhook was deleted", 10)
	})
}

// A long recovery goes on in further runs, which know what the one before knew, a pause included.
func TestRecoveryContinuesAsNew(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, paused := range map[string]bool{"while it runs": false, "when a pause is asked for": true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRecoveryRig(t, open, 30, 10)
				r.after(500*time.Millisecond, func() {
					r.env.SetContinueAsNewSuggested(true)
					if paused {
						r.pause()
					}
				})
				var next *workflow.ContinueAsNewError
				require.ErrorAs(t, r.run(), &next)
				require.Equal(t, []page{{0, 10}}, r.starter.pages)
				var in contract.RecoveryInput
				require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
				require.Equal(t, contract.RecoveryInput{RecoveryID: r.recovery.ID, Pause: paused, Progress: &contract.RecoveryProgress{
					Status: string(models.RecoveryRunning), Collected: true, Total: 30, Resent: 10, Rate: 10,
				}}, in)

				r.newEnv()
				r.register()
				if paused {
					r.after(time.Hour, func() {
						r.requireShown(models.RecoveryPaused, "paused on request", 10)
						r.resume()
					})
				}
				require.NoError(t, r.runWith(in))
				r.requireOnce(30)
			})
		}
	})
}

// A recovery that someone terminated goes on where it was, and one that has ended stays ended.
func TestRecoveryBegunAnew(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRecoveryRig(t, open, 30, 10)
		r.after(1500*time.Millisecond, func() {
			r.starter.mu.Lock()
			defer r.starter.mu.Unlock()
			r.env.SetContinueAsNewSuggested(true) // as good an end as any: its result is forgotten
		})
		require.Error(t, r.run())
		_, err := r.store.SetRecoveryStatus(t.Context(), r.recovery.ID, models.RecoveryPaused, "paused on request")
		require.NoError(t, err)
		for range 2 {
			r.newEnv()
			r.register()
			require.NoError(t, r.run())
			r.requireOnce(30)
			require.Equal(t, models.RecoveryCompleted, r.row().Status)
		}
	})
}

// What a recovery starts is a resend with the full schedule, as the log shows it.
func TestDeliveryStartedByARecovery(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.receiver.fails(1)
		r.env.ExecuteWorkflow(workflows.Delivery, contract.DeliveryInput{DeliveryID: r.delivery.ID, RecoveryID: "rec_x"})
		require.NoError(t, r.env.GetWorkflowError())
		r.requireTimes(0, time.Minute)
		attempts := r.attempts()
		require.Equal(t, models.TriggerResend, attempts[0].Trigger)
		require.Equal(t, models.TriggerSchedule, attempts[1].Trigger)
	})
}

// The process that stored a recovery died, or Temporal was away, before its workflow was started.
func TestSweepStartsRecoveries(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		env, store, started := newStartRig(t, open, 0)
		recovery := models.Recovery{WebhookID: "wh_x", OwnerID: models.DefaultOwnerID, Since: start, Until: start, Rate: 1}
		require.NoError(t, store.CreateRecovery(t.Context(), &recovery))
		env.ExecuteWorkflow(workflows.Sweep, contract.SweepInput{})
		require.NoError(t, env.GetWorkflowError())
		require.Equal(t, map[string]int{recovery.ID: 1}, started.ids)
	})
}

func TestRecoveryOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct {
			id   string
			want string
		}{
			"no ID of a recovery":       {"dlv_01m85g2jgxe2xatkthx700jqn8", "BadInput"},
			"no recovery with this ID":  {"rec_01m85g2jgxe2xatkthx700jqn8", activities.ErrTypeRecoveryNotFound},
			"an input without recovery": {"", "BadInput"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRecoveryRig(t, open, 0, 1)
				var failure *temporal.ApplicationError
				require.ErrorAs(t, r.runWith(contract.RecoveryInput{RecoveryID: test.id}), &failure)
				require.Equal(t, test.want, failure.Type())
			})
		}
	})
}
