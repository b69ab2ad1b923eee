package dispatch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/dispatchtest"
	"github.com/postrider/postrider/models"
)

// Few tests are under way at once, of a webhook and of an owner; others' do not count.
func TestFewTestsAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var limit dispatch.TestLimit
	refused := func(webhook models.Webhook) *dispatch.TooManyTestsError {
		t.Helper()
		_, err := limit.Enter(webhook, now)
		var tooMany *dispatch.TooManyTestsError
		require.ErrorAs(t, err, &tooMany)
		return tooMany
	}
	var leave func()
	for _, webhook := range []string{"wh_a", "wh_a", "wh_b", "wh_b", "wh_c"} {
		var err error
		leave, err = limit.Enter(models.Webhook{ID: webhook, OwnerID: "own_a"}, now)
		require.NoError(t, err)
	}
	require.Contains(t, refused(models.Webhook{ID: "wh_a", OwnerID: "own_a"}).Error(), "2 tests of this webhook")
	require.Contains(t, refused(models.Webhook{ID: "wh_d", OwnerID: "own_a"}).Error(), "5 tests of this owner")
	_, err := limit.Enter(models.Webhook{ID: "wh_e", OwnerID: "own_b"}, now)
	require.NoError(t, err)
	leave()
	_, err = limit.Enter(models.Webhook{ID: "wh_d", OwnerID: "own_a"}, now)
	require.NoError(t, err)
}

// A test does not pass the rate limit by: the next one is refused until its moment, and told when that is.
func TestTestsKeepToTheRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var limit dispatch.TestLimit
	perSecond := 0.01
	webhook := models.Webhook{ID: "wh_a", OwnerID: "own_a", RateLimit: &perSecond}
	leave, err := limit.Enter(webhook, now)
	require.NoError(t, err)
	leave()
	_, err = limit.Enter(webhook, now.Add(time.Second))
	var tooMany *dispatch.TooManyTestsError
	require.ErrorAs(t, err, &tooMany)
	require.Equal(t, 99*time.Second, tooMany.Wait)
	_, err = limit.Enter(webhook, now.Add(100*time.Second))
	require.NoError(t, err)
}

// Who hangs up is let go at once; the place is taken until the receiver has answered.
func TestTestWhoseCallerHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan struct{})
		fake := &dispatchtest.Temporal{Run: dispatchtest.Run{OnGet: func(ctx context.Context) error {
			select {
			case <-answered:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}}
		d := dispatchtest.New(testStore{}, fake, (&dispatchtest.Log{}).Logger())
		defer d.Close()
		webhook := models.Webhook{ID: "wh_a", OwnerID: "own_a"}
		for range dispatch.TestsOfWebhook {
			ctx, hangUp := context.WithCancel(t.Context())
			hangUp()
			_, err := d.Test(ctx, webhook)
			require.ErrorIs(t, err, context.Canceled)
		}
		_, err := d.Test(t.Context(), webhook)
		var tooMany *dispatch.TooManyTestsError
		require.ErrorAs(t, err, &tooMany)
		close(answered)
		synctest.Wait()
		_, err = d.Test(t.Context(), webhook)
		require.NoError(t, err)
	})
}
