package attempt

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// Attempts that find no room look again one after the other, as far apart as a slot is likely to become free.
func TestRechecks(t *testing.T) {
	t.Parallel()
	lanes := NewLanes(1)
	recheck := func(health models.WebhookHealth, after time.Duration) time.Duration {
		return lanes.recheckAfter("wh_a", health, begin.Add(after))
	}
	slot := lanes.take("wh_a", true, begin)
	require.NotNil(t, slot)
	none := models.WebhookHealth{}
	require.Equal(t, 5*time.Second, recheck(none, 0))
	require.Equal(t, 10*time.Second, recheck(none, 0))
	require.Equal(t, 15*time.Second-time.Millisecond, recheck(none, time.Millisecond))
	require.Equal(t, 5*time.Second, lanes.recheckAfter("wh_b", none, begin), "another webhook has rechecks of its own")
	require.Equal(t, 15*time.Second, recheck(none, 10*time.Second), "a slot is taken for ten seconds already, and the last recheck is at 15")
	slot.release()
	require.Equal(t, 5*time.Second, recheck(none, time.Hour), "all rechecks before are over")
	require.Len(t, lanes.rechecks, 1, "and forgotten")
}

// However many wait, nobody waits for more than a minute, or than twice as long as the webhook has been in trouble,
// half an hour at most.
func TestLongestRecheck(t *testing.T) {
	t.Parallel()
	failing := func(since time.Duration) models.WebhookHealth {
		first := begin.Add(-since)
		return models.WebhookHealth{FirstFailureAt: &first}
	}
	for _, test := range []struct {
		health  models.WebhookHealth
		longest time.Duration
	}{
		{models.WebhookHealth{}, time.Minute},
		{failing(5 * time.Second), time.Minute},
		{failing(5 * time.Minute), 10 * time.Minute},
		{failing(5 * time.Hour), 30 * time.Minute},
	} {
		lanes := NewLanes(1)
		var most time.Duration
		for range 5000 {
			wait := lanes.recheckAfter("wh_a", test.health, begin)
			require.GreaterOrEqual(t, wait, time.Second)
			most = max(most, wait)
		}
		require.LessOrEqual(t, most, test.longest)
		require.Greater(t, most, test.longest*9/10)
	}
}
