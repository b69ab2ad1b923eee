package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// Few tests are under way at once, of a webhook and of an owner; others' do not count.
func TestFewTestsAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var lane tests
	refused := func(webhook models.Webhook) *TooManyTestsError {
		t.Helper()
		_, err := lane.enter(webhook, now)
		var tooMany *TooManyTestsError
		require.ErrorAs(t, err, &tooMany)
		return tooMany
	}
	var leave func()
	for _, webhook := range []string{"wh_a", "wh_a", "wh_b", "wh_b", "wh_c"} {
		var err error
		leave, err = lane.enter(models.Webhook{ID: webhook, OwnerID: "own_a"}, now)
		require.NoError(t, err)
	}
	require.Contains(t, refused(models.Webhook{ID: "wh_a", OwnerID: "own_a"}).Error(), "2 tests of this webhook")
	require.Contains(t, refused(models.Webhook{ID: "wh_d", OwnerID: "own_a"}).Error(), "5 tests of this owner")
	_, err := lane.enter(models.Webhook{ID: "wh_e", OwnerID: "own_b"}, now)
	require.NoError(t, err)
	leave()
	_, err = lane.enter(models.Webhook{ID: "wh_d", OwnerID: "own_a"}, now)
	require.NoError(t, err)
}

// A test does not pass the rate limit by: the next one is refused until its moment, and told when that is.
func TestTestsKeepToTheRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var lane tests
	perSecond := 0.01
	webhook := models.Webhook{ID: "wh_a", OwnerID: "own_a", RateLimit: &perSecond}
	leave, err := lane.enter(webhook, now)
	require.NoError(t, err)
	leave()
	_, err = lane.enter(webhook, now.Add(time.Second))
	var tooMany *TooManyTestsError
	require.ErrorAs(t, err, &tooMany)
	require.Equal(t, 99*time.Second, tooMany.Wait)
	_, err = lane.enter(webhook, now.Add(100*time.Second))
	require.NoError(t, err)
}

// Who hangs up is let go at once; the place is taken until the receiver has answered.
func TestTestWhoseCallerHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan struct{})
		fake := &fakeTemporal{run: run{get: func(ctx context.Context) error {
			select {
			case <-answered:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}}
		d := New(testStore{}, fake, (&log{}).logger())
		defer d.Close()
		webhook := models.Webhook{ID: "wh_a", OwnerID: "own_a"}
		for range testsOfWebhook {
			ctx, hangUp := context.WithCancel(t.Context())
			hangUp()
			_, err := d.Test(ctx, webhook)
			require.ErrorIs(t, err, context.Canceled)
		}
		_, err := d.Test(t.Context(), webhook)
		var tooMany *TooManyTestsError
		require.ErrorAs(t, err, &tooMany)
		close(answered)
		synctest.Wait()
		_, err = d.Test(t.Context(), webhook)
		require.NoError(t, err)
	})
}
