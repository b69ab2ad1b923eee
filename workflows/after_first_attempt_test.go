package workflows_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// madeWithoutWorkflow records a first attempt as the process does that published the event.
func (r *rig) madeWithoutWorkflow(status models.Status, code int, wait time.Duration) {
	r.t.Helper()
	outcome := models.Outcome{Status: status, Attempt: models.Attempt{
		ID: models.FirstAttemptID(r.delivery.ID), DeliveryID: r.delivery.ID, Number: 1, Trigger: models.TriggerSchedule,
		StatusCode: &code, ErrorClass: models.ErrorHTTPStatus, Error: "the receiver refused", StartedAt: start,
	}}
	if status == models.StatusFailed {
		next := start.Add(wait)
		outcome.NextAttemptAt = &next
	}
	_, err := r.store.RecordAttempt(r.t.Context(), outcome)
	require.NoError(r.t, err)
}

// The workflow of a delivery whose first attempt was made without it goes on with the schedule, from the moment
// of that attempt.
func TestGoesOnAfterAFirstAttemptWithoutAWorkflow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.madeWithoutWorkflow(models.StatusFailed, http.StatusInternalServerError, time.Minute)
		r.receiver.fails(1)
		require.NoError(t, r.run())
		r.requireTimes(time.Minute, time.Minute+5*time.Minute)
		require.Equal(t, models.StatusDelivered, r.row().Status)
		var numbers []int
		for _, attempt := range r.attempts() {
			numbers = append(numbers, attempt.Number)
		}
		require.Equal(t, []int{1, 2, 3}, numbers)
	})
}

// One that was the last is told to the owner.
func TestGivesUpAfterAFirstAttemptWithoutAWorkflow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.madeWithoutWorkflow(models.StatusPermanentlyFailed, http.StatusGone, 0)
		requireExhausted(t, r.run())
		require.Empty(t, r.receiver.requests())
		require.Equal(t, models.StatusPermanentlyFailed, r.row().Status)
		require.Len(t, r.email.notices, 1)
	})
}

// A resend does not wait for the schedule, nor take the direct attempt for its own.
func TestResendAfterAFirstAttemptWithoutAWorkflow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.madeWithoutWorkflow(models.StatusFailed, http.StatusInternalServerError, time.Minute)
		r.receiver.fails(0)
		r.after(10*time.Second, r.resend)
		require.NoError(t, r.run())
		r.requireTimes(10 * time.Second)
		require.Equal(t, models.TriggerResend, r.attempts()[1].Trigger)
	})
}

// A resend that another process asks for during the direct attempt is made behind it.
func TestResendDuringAFirstAttemptWithoutAWorkflow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct {
			status models.Status
			code   int
		}{"it succeeds": {models.StatusDelivered, http.StatusOK}, "it fails": {models.StatusFailed, http.StatusInternalServerError}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				require.NoError(t, r.store.Lease(t.Context(), []string{r.delivery.ID}, start.Add(10*time.Second)))
				r.receiver.fails(0)
				r.after(0, r.resend)
				r.after(5*time.Second, func() { r.madeWithoutWorkflow(test.status, test.code, time.Minute) })
				require.NoError(t, r.run())
				require.Len(t, r.receiver.requests(), 1)
				attempts := r.attempts()
				require.Len(t, attempts, 2)
				require.Equal(t, 2, attempts[1].Number)
				require.Equal(t, models.TriggerResend, attempts[1].Trigger)
			})
		}
	})
}
