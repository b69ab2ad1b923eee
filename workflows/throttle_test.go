package workflows_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// While another delivery was answered 429, the first attempt waits as long as the receiver asked for, and the
// sweep knows of it.
func TestThrottleDelaysTheFirstAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		until := start.Add(3 * time.Minute)
		r.throttle(until)
		r.receiver.answers(answer{status: http.StatusOK})
		r.after(time.Minute, func() {
			row := r.row()
			require.Equal(t, models.StatusPending, row.Status)
			require.True(t, row.NextAttemptAt.After(until))
			require.Empty(t, r.receiver.requests())
		})
		require.NoError(t, r.run())
		requests := r.receiver.requests()
		require.Len(t, requests, 1)
		require.False(t, requests[0].at.Before(until))
		require.Less(t, requests[0].at, until.Add(91*time.Second))
		require.Equal(t, models.StatusDelivered, r.row().Status)
		require.Len(t, r.attempts(), 1)
	})
}

// A resend does not wait, and a cancellation ends the wait.
func TestThrottleGivesWay(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		t.Run("resend", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.throttle(start.Add(3 * time.Minute))
			r.receiver.answers(answer{status: http.StatusOK})
			r.after(0, r.resend)
			require.NoError(t, r.run())
			r.requireTimes(0)
		})
		t.Run("resend in the wait", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.throttle(start.Add(3 * time.Minute))
			r.receiver.answers(answer{status: http.StatusOK})
			r.after(time.Minute, r.resend)
			require.NoError(t, r.run())
			r.requireTimes(time.Minute)
			require.Equal(t, models.TriggerResend, r.attempts()[0].Trigger)
		})
		t.Run("cancellation", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.throttle(start.Add(3 * time.Minute))
			r.after(time.Minute, r.env.CancelWorkflow)
			requireCanceled(t, r.run())
			require.Empty(t, r.receiver.requests())
			require.Equal(t, models.StatusCancelled, r.row().Status)
		})
	})
}

// throttle has another delivery of the webhook answered 429 before the workflow starts.
func (r *rig) throttle(until time.Time) {
	r.t.Helper()
	published, err := r.store.Publish(r.t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: r.webhook.OwnerID})
	require.NoError(r.t, err)
	_, err = r.store.RecordAttempt(r.t.Context(), models.Outcome{
		Attempt: models.Attempt{
			ID: typeid.New(typeid.KindAttempt, start), DeliveryID: published.Deliveries[0].ID, Number: 1,
			Trigger: models.TriggerSchedule, ErrorClass: models.ErrorHTTPStatus, StartedAt: start,
		},
		Status: models.StatusFailed, NextAttemptAt: &until, ThrottledUntil: &until, RunID: "run",
	})
	require.NoError(r.t, err)
}
