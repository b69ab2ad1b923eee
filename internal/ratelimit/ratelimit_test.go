package ratelimit

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLimiterForgetsWhoWasNotSeenForLongest(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := New(1, 1, func() time.Time { return now })
	require.True(t, l.Take("first").Allowed)
	require.True(t, l.Take("second").Allowed)
	for i := range maxBuckets - 2 {
		require.True(t, l.Take(strconv.Itoa(i)).Allowed)
	}
	require.False(t, l.Take("first").Allowed, "seen again, so the second is the oldest")
	require.True(t, l.Take("one more").Allowed)
	require.Equal(t, maxBuckets, l.buckets.Len())
	require.False(t, l.Take("first").Allowed)
	require.True(t, l.Take("second").Allowed, "forgotten")
}
