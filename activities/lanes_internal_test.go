package activities

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// From one moment on half of 200 webhooks keep each request for 30 seconds, while every webhook gets so many
// requests a second. That must be no trouble for the other half in any moment: a place is free for each of
// their requests, and most places of the lane are never taken at once.
func TestHalfOfTheWebhooksBeginToHang(t *testing.T) {
	t.Parallel()
	const webhooks, hangFor, step = 200, 30 * time.Second, 10 * time.Millisecond
	for _, perSecond := range []int{1, 5, 20, 100} {
		t.Run(fmt.Sprintf("%d per second each", perSecond), func(t *testing.T) {
			t.Parallel()
			lanes := NewLanes(DefaultConcurrency)
			type answer struct {
				at    time.Time
				leave func()
			}
			var hanging, healthy []answer // each in the order of their answers
			turnedAway, most := 0, 0
			for n := range int(hangFor / step) {
				now := begin.Add(time.Duration(n) * step)
				for _, due := range []*[]answer{&hanging, &healthy} {
					for len(*due) > 0 && !(*due)[0].at.After(now) {
						(*due)[0].leave()
						*due = (*due)[1:]
					}
				}
				if n*perSecond%100 >= perSecond {
					continue // nobody gets a request in this step
				}
				for w := range webhooks {
					leave, ok := lanes.enter(fmt.Sprint(w), false, now)
					switch {
					case w%2 == 0:
						require.True(t, ok, "a healthy webhook was turned away after %s", now.Sub(begin))
						healthy = append(healthy, answer{now.Add(step), leave})
					case ok:
						hanging = append(hanging, answer{now.Add(hangFor), leave})
					default:
						turnedAway++
					}
				}
				most = max(most, lanes.fast.taken)
			}
			t.Logf("%d of %d places taken at most, %d requests sent to the slow lane", most, FastPlaces, turnedAway)
			require.NotZero(t, turnedAway)
			require.LessOrEqual(t, most, FastPlaces*7/10)
		})
	}
}

// One webhook may have its concurrency, and never more than half of a lane.
func TestOneWebhookInALane(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		concurrency int
		slow        bool
		want        int
	}{
		{1, false, 1},
		{100, false, 100},
		{100, true, SlowPlaces / 2},
		{5000, false, FastPlaces / 2},
		{5000, true, SlowPlaces / 2},
	} {
		lanes := NewLanes(test.concurrency)
		var leaves []func()
		for {
			leave, ok := lanes.enter("wh_a", test.slow, begin)
			if !ok {
				break
			}
			leaves = append(leaves, leave)
		}
		require.Len(t, leaves, test.want, "%+v", test)
		_, ok := lanes.enter("wh_b", test.slow, begin)
		require.True(t, ok, "another webhook has room")
		_, ok = lanes.enter("wh_a", !test.slow, begin)
		require.True(t, ok, "the lanes do not count each other's requests")
		for _, leave := range leaves {
			leave()
		}
		require.True(t, lanes.room("wh_a", test.slow, begin))
	}
}

// A full slow lane is shared out equally.
func TestManyWebhooksInTheSlowLane(t *testing.T) {
	t.Parallel()
	lanes := NewLanes(DefaultConcurrency)
	taken := map[int]int{}
	for range SlowPlaces {
		for w := range 50 {
			if _, ok := lanes.enter(fmt.Sprint(w), true, begin); ok {
				taken[w]++
			}
		}
	}
	for w := range 50 {
		require.Equal(t, SlowPlaces/2/50, taken[w])
	}
	_, ok := lanes.enter("newcomer", true, begin)
	require.True(t, ok)
}

// Requests of a webhook that keeps one waiting make a detour; a single slow one is no reason.
func TestAWebhookThatHangs(t *testing.T) {
	t.Parallel()
	lanes := NewLanes(DefaultConcurrency)
	at := func(after time.Duration) (func(), bool) { return lanes.enter("wh_a", false, begin.Add(after)) }
	first, ok := at(0)
	require.True(t, ok)
	second, ok := at(10 * time.Second)
	require.True(t, ok, "only one is slow")
	_, ok = at(11 * time.Second)
	require.False(t, ok)
	first()
	third, ok := at(12 * time.Second)
	require.True(t, ok, "the oldest has been under way for two seconds")
	_, ok = at(12*time.Second + time.Millisecond)
	require.False(t, ok)
	second()
	third()
	require.Zero(t, lanes.fast.taken)
	require.Empty(t, lanes.fast.busy, "what is over is forgotten")
}

// Those that find no room get turns one behind the other, as far apart as a place is likely to become free.
func TestTurns(t *testing.T) {
	t.Parallel()
	lanes := NewLanes(1)
	turn := func(health models.WebhookHealth, after time.Duration) time.Duration {
		return lanes.turn("wh_a", health, begin.Add(after))
	}
	leave, ok := lanes.enter("wh_a", true, begin)
	require.True(t, ok)
	none := models.WebhookHealth{}
	require.Equal(t, 5*time.Second, turn(none, 0))
	require.Equal(t, 10*time.Second, turn(none, 0))
	require.Equal(t, 15*time.Second-time.Millisecond, turn(none, time.Millisecond))
	require.Equal(t, 5*time.Second, lanes.turn("wh_b", none, begin), "another webhook has turns of its own")
	require.Equal(t, 15*time.Second, turn(none, 10*time.Second), "a place is taken for ten seconds already, and the turns before end at 15")
	leave()
	require.Equal(t, 5*time.Second, turn(none, time.Hour), "all turns before are over")
	require.Len(t, lanes.turns, 1, "and forgotten")
}

// However many wait, nobody waits for more than a minute, or than twice as long as the webhook has been in trouble,
// half an hour at most.
func TestLongestTurn(t *testing.T) {
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
			wait := lanes.turn("wh_a", test.health, begin)
			require.GreaterOrEqual(t, wait, time.Second)
			most = max(most, wait)
		}
		require.LessOrEqual(t, most, test.longest)
		require.Greater(t, most, test.longest*9/10)
	}
}
