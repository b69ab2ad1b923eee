package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
