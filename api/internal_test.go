package api

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLimiterForgetsWhoWasNotSeenForLongest(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := newLimiter(1, 1, func() time.Time { return now })
	require.True(t, l.take("first").allowed)
	require.True(t, l.take("second").allowed)
	for i := range maxBuckets - 2 {
		require.True(t, l.take(strconv.Itoa(i)).allowed)
	}
	require.False(t, l.take("first").allowed, "seen again, so the second is the oldest")
	require.True(t, l.take("one more").allowed)
	require.Len(t, l.buckets, maxBuckets)
	require.Equal(t, maxBuckets, l.recent.Len())
	require.False(t, l.take("first").allowed)
	require.True(t, l.take("second").allowed, "forgotten")
}

// What is published while the sum is made counts, and no more than the limit gets in.
func TestStoredSumKeepsWhatIsAddedMeanwhile(t *testing.T) {
	t.Parallel()
	sum, until := &storedSum{}, time.Unix(60, 0)
	sum.renew(0, 10, until)
	before, _ := sum.get()
	require.True(t, sum.add(5, 15))
	require.False(t, sum.add(1, 15))
	sum.renew(before, 4, until) // something was purged
	got, _ := sum.get()
	require.EqualValues(t, 9, got)
}
