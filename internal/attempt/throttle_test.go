package attempt_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/attempt"
	"github.com/postrider/postrider/models"
)

// health is what the database says of the rig's webhook.
func (r *rig) health() models.WebhookHealth {
	r.t.Helper()
	healths, err := r.store.WebhookHealths(r.t.Context(), []string{r.webhook.ID})
	require.NoError(r.t, err)
	return healths[r.webhook.ID]
}

// publish makes another delivery, which the rig delivers from now on.
func (r *rig) publish() {
	r.t.Helper()
	published, err := r.store.Publish(r.t.Context(), models.Event{Type: "order.created", Data: []byte(`{}`)})
	require.NoError(r.t, err)
	r.delivery = published.Deliveries[0]
	r.scheduledAt = r.scheduledAt.Add(time.Second)
}

// A receiver's word counts at once and up to an hour; without it, the second failure in a row that tells of
// too much work is needed, and the pause grows with the time that the receiver has failed.
func TestThrottledUntil(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		const never = time.Duration(0)
		for name, test := range map[string]struct {
			first      int // what the first of two deliveries is answered
			second     int
			retryAfter string // of the second
			apart      time.Duration
			want       time.Duration // after the second
		}{
			"asked for":                  {200, 429, "60", time.Second, time.Minute},
			"asked for, unavailable":     {200, 503, "60", time.Second, time.Minute},
			"asked for, a day":           {200, 429, "86400", time.Second, time.Hour},
			"asked for, not heeded":      {200, 500, "60", time.Second, never},
			"once":                       {200, 429, "", time.Second, never},
			"too many, again":            {429, 429, "", time.Second, 10 * time.Second},
			"bad gateway, again":         {502, 502, "", time.Second, 10 * time.Second},
			"unavailable, again":         {503, 503, "", time.Second, 10 * time.Second},
			"gateway timeout, again":     {504, 504, "", time.Second, 10 * time.Second},
			"behind another failure":     {500, 503, "", time.Second, 10 * time.Second},
			"another failure, again":     {500, 500, "", time.Second, never},
			"failing for a minute":       {503, 503, "", time.Minute, time.Minute},
			"failing for an hour":        {503, 503, "", time.Hour, 10 * time.Minute},
			"asked for, in a long story": {503, 503, "30", time.Hour, 30 * time.Second},
			"gone":                       {200, 410, "60", time.Second, never},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.status = test.first
				failed := r.deliver(1)
				clock := now.Add(test.apart)
				r.maker.Now = func() time.Time { return clock }
				r.publish()
				r.status, r.header = test.second, http.Header{"Retry-After": {test.retryAfter}}
				result := r.deliver(1)
				if test.want == never {
					require.Nil(t, result.ThrottledUntil)
					require.Nil(t, r.health().ThrottledUntil)
					return
				}
				want := clock.Truncate(time.Millisecond).Add(test.want)
				if test.want == test.apart { // it failed when its answer came
					want = clock.Add(test.apart - time.Duration(failed.DurationMS)*time.Millisecond).Truncate(time.Millisecond)
				}
				require.WithinDuration(t, want, *result.ThrottledUntil, time.Millisecond)
				require.Equal(t, *result.ThrottledUntil, r.health().ThrottledUntil.UTC())
			})
		}
	})
}

// First attempts of the schedule wait; what someone asked for, retries and what has been held for an hour do not.
func TestThrottleHoldsFirstAttempts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status, r.header = 429, http.Header{"Retry-After": {"60"}}
		r.deliver(1)
		waiting := r.delivery
		r.publish()
		const asked = time.Minute
		waits := map[int64]bool{}
		var last attempt.Result
		for range 20 {
			result := r.deliver(1)
			require.Equal(t, models.StatusPending, result.Status)
			require.True(t, result.Detour.Throttled)
			require.True(t, result.Detour.Slow)
			require.GreaterOrEqual(t, result.Detour.Wait(), asked-time.Millisecond)
			require.Less(t, result.Detour.Wait(), asked+asked/2+time.Second)
			waits[result.Detour.WaitMS] = true
			last = result
		}
		require.Greater(t, len(waits), 1, "they do not come all at once")
		require.Len(t, r.requests, 1)
		held, err := r.store.Delivery(t.Context(), models.Scope{}, r.delivery.ID)
		require.NoError(t, err)
		require.Equal(t, now.Add(10*time.Minute).Truncate(time.Millisecond), held.LeasedUntil.UTC(), "the sweep leaves it alone")
		due := now.Truncate(time.Millisecond).Add(last.Detour.Wait())
		require.Equal(t, due, held.NextAttemptAt.UTC(), "what is shown is when it is tried again")

		// Its workflow asks again when the wait is over.
		r.maker.Now = func() time.Time { return now.Add(asked) }
		require.Nil(t, r.deliver(1).Detour)
		require.Len(t, r.requests, 2)

		// Now it is held back anew, which touches neither a resend nor a retry.
		r.publish()
		require.NotNil(t, r.deliver(1).Detour)
		asResend, asRetry := r.input(1), r.input(2)
		asResend.Trigger, asResend.Slow = models.TriggerResend, true
		asRetry.DeliveryID, asRetry.Slow = waiting.ID, true
		for i, in := range []attempt.Input{asResend, asRetry} {
			r.make(in, attempt.Run{ID: testRun})
			require.Len(t, r.requests, 3+i)
		}
	})
}

// Nobody is held back for longer than an hour, however often the receiver asks.
func TestThrottleHoldsAnHourAtMost(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status, r.header = 503, http.Header{"Retry-After": {"3600"}}
		r.deliver(1)
		r.publish()
		for _, test := range []struct {
			at   time.Duration
			held bool
		}{{0, true}, {59 * time.Minute, true}, {time.Hour, false}} {
			r.maker.Now = func() time.Time { return now.Add(test.at) }
			if test.held {
				r.publish() // its age is that of the store's clock
				detour := r.deliver(1).Detour
				require.NotNil(t, detour, test.at)
				require.LessOrEqual(t, detour.Wait(), (time.Hour-test.at)*3/2+time.Second)
				continue
			}
			require.Nil(t, r.deliver(1).Detour)
		}
	})
}

// A schedule's waits are as long as they say, or up to the jitter longer, and what the log says is what the
// workflow waits. A wait that the receiver asked for is not shortened by it.
func TestRetryJitter(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, test := range []struct {
			jitter  float64
			after   string
			atLeast time.Duration
			most    time.Duration
		}{
			{0, "", time.Minute, time.Minute},
			{0.5, "", time.Minute, 90 * time.Second},
			{1, "300", 5 * time.Minute, 6 * time.Minute},
		} {
			t.Run(fmt.Sprintf("%v %s", test.jitter, test.after), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.maker.RetryJitter = test.jitter
				waits := map[time.Duration]bool{}
				for range 10 {
					r.publish()
					r.status, r.header = 500, nil
					if test.after != "" {
						r.status, r.header = 503, http.Header{"Retry-After": {test.after}}
					}
					in := r.input(1)
					in.Slow, in.Trigger = true, models.TriggerResend // so that nothing is held back
					result := r.make(in, attempt.Run{ID: testRun})
					require.GreaterOrEqual(t, result.Wait(), test.atLeast)
					require.LessOrEqual(t, result.Wait(), test.most)
					waits[result.Wait()] = true
					row, err := r.store.Delivery(t.Context(), models.Scope{}, r.delivery.ID)
					require.NoError(t, err)
					require.Equal(t, now.Truncate(time.Millisecond).Add(result.Wait()), row.NextAttemptAt.UTC())
				}
				require.Equal(t, test.jitter > 0, len(waits) > 1)
			})
		}
	})
}
