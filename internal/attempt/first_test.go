package attempt_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// watchedStore counts loads, and fails to record as often as it is told.
type watchedStore struct {
	*store.Store
	loads, failures atomic.Int32
}

func (s *watchedStore) Job(ctx context.Context, deliveryID, attemptID string) (models.Job, error) {
	s.loads.Add(1)
	return s.Store.Job(ctx, deliveryID, attemptID)
}

func (s *watchedStore) RecordAttempt(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	if s.failures.Add(-1) >= 0 {
		return models.Recorded{}, errors.New("the database is away")
	}
	return s.Store.RecordAttempt(ctx, outcome)
}

func (r *rig) job() models.Job {
	r.t.Helper()
	job, err := r.store.Job(r.t.Context(), r.delivery.ID, "")
	require.NoError(r.t, err)
	return job
}

func (r *rig) directly(job models.Job) bool {
	return r.maker.MakeFirst(r.t.Context(), job)
}

func TestMakeFirst(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		require.True(t, r.directly(r.job()))
		require.Len(t, r.requests, 1)
		require.Equal(t, "1", r.requests[0].Header.Get("X-Webhook-Attempt"))
		got := r.job().Delivery
		require.Equal(t, models.StatusDelivered, got.Status)
		require.Empty(t, got.RunID)
		require.Equal(t, models.FirstAttemptID(r.delivery.ID), r.attempts()[0].ID)

		// A workflow that is started all the same finds what was done.
		require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
		require.Len(t, r.requests, 1)
	})
}

// A direct attempt that fails is the first of the workflow's, whoever starts that and however often.
func TestWorkflowTakesOverADirectAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, test := range []struct {
			code   int
			status models.Status
		}{{http.StatusInternalServerError, models.StatusFailed}, {http.StatusGone, models.StatusPermanentlyFailed}} {
			r := newRig(t, open)
			r.status = test.code
			require.False(t, r.directly(r.job()))
			unstarted, err := r.store.UnstartedDeliveries(t.Context(), "", 10)
			require.NoError(t, err)
			require.Len(t, unstarted, 1)

			first := r.deliver(1)
			require.Equal(t, test.status, first.Status)
			require.Equal(t, models.FirstAttemptID(r.delivery.ID), first.AttemptID)
			require.Equal(t, test.status == models.StatusPermanentlyFailed, first.Notify)
			if test.status == models.StatusFailed {
				require.Equal(t, 1, first.Retry)
				require.Equal(t, time.Minute, first.Wait())
			}
			require.NotEmpty(t, r.job().Delivery.RunID)
			unstarted, err = r.store.UnstartedDeliveries(t.Context(), "", 10)
			require.NoError(t, err)
			require.Empty(t, unstarted)
			require.Len(t, r.requests, 1)
			require.Len(t, r.attempts(), 1)
		}
	})
}

// What is not for the fast lane goes to the workflow before any request is made.
func TestMakeFirstLeavesSomeToTheWorkflow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		lately, limit := now, 5.0
		for name, change := range map[string]func(*models.Job){
			"slow":         func(d *models.Job) { d.Health.SlowAt = &lately },
			"failing":      func(d *models.Job) { d.Health.ConsecutiveFailures, d.Health.LastFailureAt = 2, &lately },
			"rate limited": func(d *models.Job) { d.Webhook.RateLimit = &limit },
			"test":         func(d *models.Job) { d.Delivery.Test = true },
			"cancelled, and rate limited": func(d *models.Job) {
				d.Delivery.Status, d.Webhook.RateLimit = models.StatusCancelled, &limit
			},
		} {
			job := r.job()
			change(&job)
			require.False(t, r.directly(job), name)
		}
		require.Empty(t, r.requests)
		require.Equal(t, models.StatusPending, r.job().Delivery.Status)
	})
}

func TestMakeFirstWhileTheLogCannotBeWritten(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		store := &watchedStore{Store: r.store}
		store.failures.Store(2)
		r.maker.Store = store
		require.True(t, r.directly(r.job()))
		require.Len(t, r.requests, 1)
		require.Len(t, r.attempts(), 1)
		require.Equal(t, models.StatusDelivered, r.job().Delivery.Status)
	})
}

// What was published just now is not loaded for its first attempt, once and for a moment only.
func TestDeliverOfWhatIsExpected(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, test := range map[string]struct {
			sequence int
			later    time.Duration
			loads    int32
		}{
			"at once":     {1, 0, 0},
			"too late":    {1, 2 * time.Second, 1},
			"not a first": {2, 0, 1},
		} {
			r := newRig(t, open)
			store := &watchedStore{Store: r.store}
			r.maker.Store = store
			r.maker.Expect([]models.Job{r.job()})
			r.maker.Now = func() time.Time { return now.Add(test.later) }
			require.Equal(t, models.StatusDelivered, r.deliver(test.sequence).Status, name)
			require.Equal(t, test.loads, store.loads.Load(), name)

			// Asked again, the log knows.
			require.Equal(t, models.StatusDelivered, r.deliver(test.sequence).Status, name)
			require.Equal(t, test.loads+1, store.loads.Load(), name)
			require.Len(t, r.requests, 1, name)
		}
	})
}

var _ attempt.Store = (*watchedStore)(nil)

// A resend through another process waits while the first attempt may be under way; what comes of that attempt, and
// the death of its process, end the wait.
func TestResendBehindAnAttemptOfAnotherProcess(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		made := func(r *rig) { require.True(t, r.directly(r.job())) }
		for name, test := range map[string]struct {
			cancelled bool
			then      func(*rig)
			numbers   []int
		}{
			"it is made":                            {false, made, []int{1, 2}},
			"it is made although it was cancelled":  {true, made, []int{1, 2}},
			"its process dies":                      {false, func(*rig) {}, []int{1}},
			"its process dies when it is cancelled": {true, func(*rig) {}, []int{1}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				require.NoError(t, r.store.Lease(t.Context(), []string{r.delivery.ID}, now.Add(10*time.Second)))
				if test.cancelled {
					require.NoError(t, r.store.CancelDelivery(t.Context(), r.delivery.ID, models.CauseRequest, "cancelled on request"))
				}
				resend := func() attempt.Result {
					in := r.input(1)
					in.Trigger = models.TriggerResend
					return r.make(in, attempt.Run{ID: testRun})
				}
				require.Equal(t, &attempt.Detour{WaitMS: 2000}, resend().Detour)
				r.maker.Now = func() time.Time { return now.Add(9 * time.Second) }
				require.Equal(t, &attempt.Detour{WaitMS: 1001}, resend().Detour)
				require.Empty(t, r.requests)
				require.Nil(t, r.job().Delivery.NextAttemptAt, "the wait postpones nothing")

				test.then(r)
				r.maker.Now = func() time.Time { return now.Add(10 * time.Second) }
				require.Equal(t, models.StatusDelivered, resend().Status)
				var numbers []int
				for _, attempt := range r.attempts() {
					numbers = append(numbers, attempt.Number)
				}
				require.Equal(t, test.numbers, numbers)
				require.Len(t, r.requests, len(numbers))
			})
		}
	})
}

// The workflow that the publishing process starts itself is not kept waiting by that process's lease.
func TestHandedOverAttemptDoesNotWait(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		require.NoError(t, r.store.Lease(t.Context(), []string{r.delivery.ID}, now.Add(10*time.Second)))
		require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
	})
}
