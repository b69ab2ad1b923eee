package workflows_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/workflows"
)

// due is when each attempt of the default schedule is made.
var due = []time.Duration{
	0, time.Minute, 6 * time.Minute, 31 * time.Minute, 2*time.Hour + 31*time.Minute, 12*time.Hour + 31*time.Minute,
}

func TestSucceedsAtEachAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for failures := range due {
			t.Run(fmt.Sprintf("attempt %d", failures+1), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.receiver.fails(failures)
				require.NoError(t, r.run())

				r.requireTimes(due[:failures+1]...)
				row := r.row()
				require.Equal(t, models.StatusDelivered, row.Status)
				require.Equal(t, failures+1, row.AttemptCount)
				require.Nil(t, row.NextAttemptAt)
				require.Equal(t, start.Add(due[failures]), row.DeliveredAt.UTC().Truncate(time.Second))
				require.Empty(t, row.LastError)
				for i, attempt := range r.attempts() {
					require.Equal(t, i+1, attempt.Number)
					require.Equal(t, models.TriggerSchedule, attempt.Trigger)
				}
				require.Empty(t, r.email.notices)
			})
		}
	})
}

func TestGivesUpAfterTheSchedule(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		err := r.run()
		requireExhausted(t, err)
		require.ErrorContains(t, err, "gave up after attempt 6: the receiver answered 500 Internal Server Error")
		r.requireTimes(due...)
		row := r.row()
		require.Equal(t, models.StatusPermanentlyFailed, row.Status)
		require.Equal(t, 6, row.AttemptCount)
		require.Nil(t, row.NextAttemptAt)
		require.Equal(t, "the receiver answered 500 Internal Server Error", row.LastError)

		for i, request := range r.receiver.requests() {
			require.Equal(t, fmt.Sprint(i+1), request.header.Get("X-Webhook-Attempt"))
			require.Equal(t, r.delivery.ID, request.header.Get("X-Webhook-Delivery"))
			require.Equal(t, r.receiver.requests()[0].body, request.body)
			require.Equal(t, fmt.Sprint(start.Add(due[i]).Unix()), request.header.Get("webhook-timestamp"))
		}
		require.Len(t, r.email.notices, 1)
		require.Equal(t, 6, r.email.notices[0].(notify.Exhausted).Attempts)
	})
}

func TestWebhookScheduleOverridesTheInstallations(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, func(w *models.Webhook) { w.RetrySchedule = models.RetrySchedule{90 * time.Second} })
		requireExhausted(t, r.run())
		r.requireTimes(0, 90*time.Second)
	})
}

func TestNoRetriesWithAnEmptySchedule(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, func(w *models.Webhook) { w.RetrySchedule = models.RetrySchedule{} })
		requireExhausted(t, r.run())
		r.requireTimes(0)
	})
}

func TestStatusQuery(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.receiver.fails(2)
		r.after(2*time.Minute, func() {
			status := r.status()
			require.EqualValues(t, models.StatusFailed, status.Status)
			require.Equal(t, 2, status.Attempts)
			require.Equal(t, 2, status.Retry)
			require.Equal(t, 5, status.Retries)
			require.Equal(t, start.Add(due[2]), status.NextAttemptAt.UTC())
			require.Equal(t, 500, *status.LastStatusCode)
			row := r.row()
			require.Equal(t, models.StatusFailed, row.Status)
			require.Equal(t, start.Add(due[2]), row.NextAttemptAt.UTC())
		})
		require.NoError(t, r.run())
		require.EqualValues(t, models.StatusDelivered, r.status().Status)
	})
}

func TestGoneEndsTheDeliveryAndDisablesTheWebhook(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.receiver.answers(answer{status: http.StatusGone})
		requireExhausted(t, r.run())
		r.requireTimes(0)
		require.Equal(t, models.StatusPermanentlyFailed, r.row().Status)
		webhook, err := r.store.Webhook(t.Context(), models.Scope{}, r.webhook.ID)
		require.NoError(t, err)
		require.False(t, webhook.Active)
		require.Contains(t, webhook.DisabledReason, "410 Gone")
		require.Len(t, r.email.notices, 1)
		require.IsType(t, notify.Disabled{}, r.email.notices[0], "and not of the delivery's final failure too")
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct {
			status int
			value  string
			wait   time.Duration
		}{
			"longer than the wait":      {503, "300", 5 * time.Minute},
			"shorter than the wait":     {503, "5", time.Minute},
			"too many requests":         {429, "120", 2 * time.Minute},
			"another status":            {500, "300", time.Minute},
			"a date":                    {503, start.Add(10 * time.Minute).Format(http.TimeFormat), 10 * time.Minute},
			"a date in the past":        {503, start.Add(-time.Hour).Format(http.TimeFormat), time.Minute},
			"more than a day":           {503, "864000", 24 * time.Hour},
			"a date in ten years":       {503, start.AddDate(10, 0, 0).Format(http.TimeFormat), 24 * time.Hour},
			"more than a number holds":  {503, "99999999999999999999999999", 24 * time.Hour},
			"negative":                  {503, "-5", time.Minute},
			"a fraction":                {503, "300.5", 301 * time.Second},
			"no number":                 {503, "soon", time.Minute},
			"just the longest possible": {503, "86400", 24 * time.Hour},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.receiver.answers(answer{status: test.status, header: map[string]string{"Retry-After": test.value}}, answer{status: 200})
				require.NoError(t, r.run())
				r.requireTimes(0, test.wait)
			})
		}
	})
}

func TestEndsWhenTheWebhookIsGone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct {
			change func(*testing.T, *rig)
			reason string
			cause  models.CancelCause
		}{
			"deleted": {func(t *testing.T, r *rig) {
				require.NoError(t, r.store.DeleteWebhook(t.Context(), models.Scope{}, r.webhook.ID))
			}, "the webhook was deleted", models.CauseDeleted},
			"paused": {func(t *testing.T, r *rig) {
				_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
					w.Active = false
					return nil
				})
				require.NoError(t, err)
			}, "the webhook is paused", models.CauseInactive},
			"suspended with its owner": {func(t *testing.T, r *rig) {
				_, err := r.store.UpdateOwner(t.Context(), r.webhook.OwnerID, func(o *models.Owner) error {
					o.Active = false
					return nil
				})
				require.NoError(t, err)
			}, "the owner is suspended", models.CauseInactive},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.after(30*time.Second, func() { test.change(t, r) })
				requireCanceled(t, r.run())
				r.requireTimes(0)
				row := r.row()
				require.Equal(t, models.StatusCancelled, row.Status)
				require.Equal(t, test.reason, row.CancelReason)
				require.Equal(t, test.cause, row.CancelCause)
				require.Nil(t, row.NextAttemptAt)
				require.Empty(t, r.email.notices)
			})
		}
	})
}

func TestADeliveryCancelledBeforeItsStartIsNotSent(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		require.NoError(t, r.store.CancelDelivery(t.Context(), r.delivery.ID, models.CauseRequest, "cancelled on request"))
		requireCanceled(t, r.run())
		r.requireTimes([]time.Duration{}...)
	})
}

func TestTestDeliveryIsTriedOnceAndTellsNobody(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open, func(w *models.Webhook) { w.Active = true })
		var err error
		r.delivery, err = r.store.PublishTest(t.Context(), r.webhook, []byte(`{"message":"x"}`))
		require.NoError(t, err)
		requireExhausted(t, r.run())
		r.requireTimes(0)
		require.Equal(t, models.TriggerTest, r.attempts()[0].Trigger)
		require.Empty(t, r.email.notices)
	})
}

func TestBadInputFailsAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.delivery.ID = r.webhook.ID
		r.env.ExecuteWorkflow(workflows.Delivery, contract.DeliveryInput{DeliveryID: r.webhook.ID})
		require.ErrorContains(t, r.env.GetWorkflowError(), "delivery_id is no delivery")
	})
}

func TestUnknownDeliveryFailsAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.env.ExecuteWorkflow(workflows.Delivery, contract.DeliveryInput{DeliveryID: typeid.New(typeid.KindDelivery, start)})
		var failure *temporal.ApplicationError
		require.ErrorAs(t, r.env.GetWorkflowError(), &failure)
		require.Equal(t, "DeliveryNotFound", failure.Type())
	})
}
