package workflows_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestResendInEachWait(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for wait := range len(due) - 1 {
			middle := (due[wait] + due[wait+1]) / 2
			t.Run(fmt.Sprintf("wait %d, it succeeds", wait+1), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.receiver.fails(wait + 1)
				r.after(middle, r.resend)
				require.NoError(t, r.run())
				r.requireTimes(append(due[:wait+1:wait+1], middle)...)
				require.Equal(t, models.StatusDelivered, r.row().Status)
				require.Equal(t, models.TriggerResend, r.attempts()[wait+1].Trigger)
			})
			t.Run(fmt.Sprintf("wait %d, it fails and uses up no retry", wait+1), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.after(middle, r.resend)
				r.after(middle+time.Second, func() {
					row := r.row()
					require.Equal(t, models.StatusFailed, row.Status)
					require.Equal(t, start.Add(due[wait+1]), row.NextAttemptAt.UTC())
					require.Equal(t, wait+1, r.status().Retry)
				})
				requireExhausted(t, r.run())
				want := append(due[:wait+1:wait+1], middle)
				r.requireTimes(append(want, due[wait+1:]...)...)
				require.Equal(t, 7, r.row().AttemptCount)
			})
		}
	})
}

func TestResendTwiceInARow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.receiver.fails(2)
		r.after(10*time.Second, func() {
			r.resend()
			r.resend()
		})
		require.NoError(t, r.run())
		r.requireTimes(0, 10*time.Second, 10*time.Second)
		for i, attempt := range r.attempts()[1:] {
			require.Equal(t, models.TriggerResend, attempt.Trigger)
			require.Equal(t, i+2, attempt.Number)
		}
	})
}

func TestRetryAfterOfAResendLengthensTheWait(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.receiver.answers(
			answer{status: 500},
			answer{status: 503, header: map[string]string{"Retry-After": "600"}},
			answer{status: 200},
		)
		r.after(30*time.Second, r.resend)
		require.NoError(t, r.run())
		r.requireTimes(0, 30*time.Second, 30*time.Second+10*time.Minute)
	})
}

func TestGoneAnswerToAResendEndsTheDelivery(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.receiver.answers(answer{status: 500}, answer{status: http.StatusGone})
		r.after(30*time.Second, r.resend)
		requireExhausted(t, r.run())
		r.requireTimes(0, 30*time.Second)
		require.Equal(t, models.StatusPermanentlyFailed, r.row().Status)
	})
}

// A resend of a finished delivery is a new run that finds the signal waiting.
func TestResendAfterEachEnd(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, end := range map[string]struct {
			status  models.Status
			prepare func(*testing.T, *rig)
		}{
			"delivered":          {models.StatusDelivered, attemptedBefore(models.StatusDelivered)},
			"permanently failed": {models.StatusPermanentlyFailed, attemptedBefore(models.StatusPermanentlyFailed)},
			"cancelled": {models.StatusCancelled, func(t *testing.T, r *rig) {
				require.NoError(t, r.store.CancelDelivery(t.Context(), r.delivery.ID, models.CauseRequest, "cancelled on request"))
			}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				end.prepare(t, r)
				before := r.row()
				require.Equal(t, end.status, before.Status)
				r.after(0, r.resend)
				requireExhausted(t, r.run())
				r.requireTimes(due...) // the full schedule
				attempts := r.attempts()[before.AttemptCount:]
				require.Equal(t, models.TriggerResend, attempts[0].Trigger)
				require.Equal(t, models.TriggerSchedule, attempts[1].Trigger)
				require.Equal(t, before.AttemptCount+1, attempts[0].Number)
				row := r.row()
				require.Equal(t, models.StatusPermanentlyFailed, row.Status)
				require.Empty(t, row.CancelReason)
			})
		}
	})
}

// attemptedBefore records one attempt, of an earlier run, that ended the delivery.
func attemptedBefore(status models.Status) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		at := start.Add(-time.Hour)
		_, err := r.store.RecordAttempt(t.Context(), models.Outcome{
			Attempt: models.Attempt{
				ID: models.AttemptID("earlier run", 1, at), DeliveryID: r.delivery.ID, Number: 1,
				Trigger: models.TriggerSchedule, StartedAt: at,
			},
			Status: status, RunID: "earlier run",
		})
		require.NoError(t, err)
	}
}

// A resend that arrives while the last attempt is on its way must not be lost.
func TestResendDuringTheLastAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, last := range map[string]int{"which succeeds": 200, "which fails": 500} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open, func(w *models.Webhook) { w.RetrySchedule = models.RetrySchedule{time.Minute} })
				r.receiver.answers(
					answer{status: 500},
					answer{status: last, before: r.resend},
					answer{status: 500}, // the resend, anew with the full schedule
					answer{status: 200},
				)
				require.NoError(t, r.run())
				r.requireTimes(0, time.Minute, time.Minute, 2*time.Minute)
				triggers := make([]models.Trigger, 0, 4)
				for _, attempt := range r.attempts() {
					triggers = append(triggers, attempt.Trigger)
				}
				require.Equal(t, []models.Trigger{"schedule", "schedule", "resend", "schedule"}, triggers)
				require.Equal(t, models.StatusDelivered, r.row().Status)
			})
		}
	})
}

// A signal that comes as a run ends makes Temporal forget that the run has ended: it begins anew, finds the signal first
// and then the attempt that it made itself in the log. The attempt is from before the resend, which is still to be made.
func TestResendDuringTheFirstAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, first := range map[string]models.Status{
			"which succeeded": models.StatusDelivered, "which failed": models.StatusFailed, "which was the last": models.StatusPermanentlyFailed,
		} {
			for resends := 1; resends <= 3; resends++ {
				t.Run(fmt.Sprintf("%s, %d times", name, resends), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, open)
					for range resends {
						r.receiver.fails(0)
					}
					r.madeByThisRun(first)
					r.after(0, func() {
						for range resends {
							r.resend()
						}
					})
					require.NoError(t, r.run())
					attempts := r.attempts()
					require.Len(t, attempts, 1+resends)
					for i, attempt := range attempts[1:] {
						require.Equal(t, models.TriggerResend, attempt.Trigger)
						require.Equal(t, i+2, attempt.Number)
					}
					require.Equal(t, models.StatusDelivered, r.row().Status)
				})
			}
		}
	})
}

// Cancelled and then asked for again, both during the first attempt.
func TestCancelAndResendDuringTheFirstAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.madeByThisRun(models.StatusDelivered)
		r.after(0, func() {
			r.env.CancelWorkflow()
			r.resend()
		})
		err := r.run()
		require.Len(t, r.attempts(), 1)
		r.continues(err)
		require.Equal(t, models.TriggerResend, r.attempts()[1].Trigger)
	})
}

// madeByThisRun records the first attempt of the run that is about to begin again.
func (r *rig) madeByThisRun(status models.Status) {
	r.t.Helper()
	const runID = "default-test-run-id" // of the environment
	outcome := models.Outcome{
		Attempt: models.Attempt{
			ID: models.AttemptID(runID, 1, start), DeliveryID: r.delivery.ID, Number: 1, Trigger: models.TriggerSchedule, StartedAt: start,
		},
		Status: status, RunID: runID,
	}
	if status == models.StatusFailed {
		next := start.Add(time.Minute)
		outcome.NextAttemptAt = &next
	}
	_, err := r.store.RecordAttempt(r.t.Context(), outcome)
	require.NoError(r.t, err)
}
