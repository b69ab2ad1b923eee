package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// outage is how many calls the database misses, half a minute's worth: the test environment, unlike a server,
// makes "without limit" ten.
const outage = 9

func TestDatabaseAwayBeforeSendingUsesUpNoAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for name, during := range map[string]time.Duration{"the first attempt": 0, "a retry": 30 * time.Second} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				away := func() {
					r.store.mu.Lock()
					defer r.store.mu.Unlock()
					r.store.failLoad = outage
				}
				if during == 0 {
					away()
				} else {
					r.after(during, away)
				}
				requireExhausted(t, r.run())
				require.Len(t, r.receiver.requests(), 6)
				for i, attempt := range r.attempts() {
					require.Equal(t, i+1, attempt.Number)
				}
				require.Equal(t, 6, r.row().AttemptCount)
			})
		}
	})
}

func TestDatabaseAwayAfterSendingRecordsLaterAndSendsOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		t.Run("a success", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.receiver.fails(0)
			r.store.failRecord = outage
			require.NoError(t, r.run())
			require.Len(t, r.receiver.requests(), 1)
			attempts := r.attempts()
			require.Len(t, attempts, 1)
			require.Equal(t, 200, *attempts[0].StatusCode)
			require.NotEmpty(t, attempts[0].RemoteAddr)
			require.Equal(t, models.StatusDelivered, r.row().Status)
		})
		t.Run("a failure, whose wait goes on meanwhile", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open)
			r.receiver.fails(1)
			r.store.failRecord = 5 // for some seconds
			require.NoError(t, r.run())
			r.requireTimes(0, time.Minute)
			require.Len(t, r.attempts(), 2)
		})
		t.Run("a failure, for longer than its wait", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, open, func(w *models.Webhook) { w.RetrySchedule = models.RetrySchedule{2 * time.Second} })
			r.receiver.fails(1)
			r.store.failRecord = outage
			require.NoError(t, r.run())
			require.Len(t, r.receiver.requests(), 2)
			require.Len(t, r.attempts(), 2)
			require.Equal(t, models.StatusDelivered, r.row().Status)
		})
	})
}
