package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinearScaleEndsAtARoundNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		highest float64
		ticks   []float64
	}{
		{0, []float64{0, 1}},
		{4, []float64{0, 1, 2, 3, 4}},
		{93, []float64{0, 50, 100}},
		{870, []float64{0, 500, 1000}},
		{0.17, []float64{0, 0.05, 0.1, 0.15, 0.2}},
	}
	for _, test := range tests {
		s, ticks := linearScale(test.highest, 100, 200)
		require.InDeltaSlice(t, test.ticks, ticks, 1e-9)
		require.InDelta(t, 100, s.at(0), 0)
		require.InDelta(t, 200, s.at(ticks[len(ticks)-1]), 0)
	}
}

func TestLogScaleCoversWholePowers(t *testing.T) {
	t.Parallel()
	s, ticks := logScale(3, 450, 0, 300)
	require.InDeltaSlice(t, []float64{1, 10, 100, 1000}, ticks, 1e-9)
	require.InDelta(t, 100, s.at(10), 0)
	require.InDelta(t, 0, s.at(0), 0, "what is below the axis is at its beginning")
	_, ticks = logScale(0, 0, 0, 300)
	require.InDeltaSlice(t, []float64{0.1, 1}, ticks, 1e-9)
}
