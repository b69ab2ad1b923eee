package attempt

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// From one moment on half of 200 webhooks keep each request for 30 seconds, while every webhook gets so many
// requests a second. That must be no trouble for the other half in any moment: a slot is free for each of
// their requests, and most slots of the lane are never taken at once.
func TestHalfOfTheWebhooksBeginToHang(t *testing.T) {
	t.Parallel()
	const webhooks, hangFor, step = 200, 30 * time.Second, 10 * time.Millisecond
	for _, perSecond := range []int{1, 5, 20, 100} {
		t.Run(fmt.Sprintf("%d per second each", perSecond), func(t *testing.T) {
			t.Parallel()
			lanes := NewLanes(DefaultConcurrency)
			type answer struct {
				at   time.Time
				slot *slot
			}
			var hanging, healthy []answer // each in the order of their answers
			turnedAway, most := 0, 0
			for n := range int(hangFor / step) {
				now := begin.Add(time.Duration(n) * step)
				for _, due := range []*[]answer{&hanging, &healthy} {
					for len(*due) > 0 && !(*due)[0].at.After(now) {
						(*due)[0].slot.release()
						*due = (*due)[1:]
					}
				}
				if n*perSecond%100 >= perSecond {
					continue // nobody gets a request in this step
				}
				for w := range webhooks {
					slot := lanes.take(fmt.Sprint(w), false, now)
					switch {
					case w%2 == 0:
						require.NotNil(t, slot, "a healthy webhook was turned away after %s", now.Sub(begin))
						healthy = append(healthy, answer{now.Add(step), slot})
					case slot != nil:
						hanging = append(hanging, answer{now.Add(hangFor), slot})
					default:
						turnedAway++
					}
				}
				most = max(most, lanes.fast.taken)
			}
			t.Logf("%d of %d slots taken at most, %d requests sent to the slow lane", most, FastSlots, turnedAway)
			require.NotZero(t, turnedAway)
			require.LessOrEqual(t, most, FastSlots*7/10)
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
		{100, true, SlowSlots / 2},
		{5000, false, FastSlots / 2},
		{5000, true, SlowSlots / 2},
	} {
		lanes := NewLanes(test.concurrency)
		var taken []*slot
		for slot := lanes.take("wh_a", test.slow, begin); slot != nil; slot = lanes.take("wh_a", test.slow, begin) {
			taken = append(taken, slot)
		}
		require.Len(t, taken, test.want, "%+v", test)
		require.NotNil(t, lanes.take("wh_b", test.slow, begin), "another webhook has room")
		require.NotNil(t, lanes.take("wh_a", !test.slow, begin), "the lanes do not count each other's requests")
		for _, slot := range taken {
			slot.release()
		}
		require.True(t, lanes.hasRoom("wh_a", test.slow, begin))
	}
}

// A full slow lane is shared out equally.
func TestManyWebhooksInTheSlowLane(t *testing.T) {
	t.Parallel()
	lanes := NewLanes(DefaultConcurrency)
	taken := map[int]int{}
	for range SlowSlots {
		for w := range 50 {
			if lanes.take(fmt.Sprint(w), true, begin) != nil {
				taken[w]++
			}
		}
	}
	for w := range 50 {
		require.Equal(t, SlowSlots/2/50, taken[w])
	}
	require.NotNil(t, lanes.take("newcomer", true, begin))
}

// Requests of a webhook that keeps one waiting make a detour; a single slow one is no reason.
func TestAWebhookThatHangs(t *testing.T) {
	t.Parallel()
	lanes := NewLanes(DefaultConcurrency)
	at := func(after time.Duration) *slot { return lanes.take("wh_a", false, begin.Add(after)) }
	first := at(0)
	require.NotNil(t, first)
	second := at(10 * time.Second)
	require.NotNil(t, second, "only one is slow")
	require.Nil(t, at(11*time.Second))
	first.release()
	third := at(12 * time.Second)
	require.NotNil(t, third, "the oldest has been under way for two seconds")
	require.Nil(t, at(12*time.Second+time.Millisecond))
	second.release()
	third.release()
	require.Zero(t, lanes.fast.taken)
	require.Empty(t, lanes.fast.busy, "what is over is forgotten")
}

// Slots are given back in any order: the oldest that is left counts for whether its webhook hangs.
func TestSlotsAreReleasedInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		lanes := NewLanes(DefaultConcurrency)
		var taken []*slot
		for n := range order {
			taken = append(taken, lanes.take("wh_a", true, begin.Add(time.Duration(n)*time.Second)))
		}
		left := []int{0, 1, 2}
		for _, n := range order {
			under := lanes.slow.busy["wh_a"]
			require.Equal(t, len(left), under.count)
			require.Same(t, taken[left[0]], under.oldest)
			require.Same(t, taken[left[len(left)-1]], under.newest)
			taken[n].release()
			left = slices.DeleteFunc(left, func(other int) bool { return other == n })
		}
		require.Empty(t, lanes.slow.busy)
		require.Zero(t, lanes.slow.taken)
	}
}
