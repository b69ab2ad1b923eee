package measuring

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	require.Empty(t, spread([]string{}, 3))
	require.Equal(t, []int{1, 2}, spread([]int{1, 2}, 3))
	require.Equal(t, []int{0, 2, 4}, spread([]int{0, 1, 2, 3, 4, 5}, 3))
}
