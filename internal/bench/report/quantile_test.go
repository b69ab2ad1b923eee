package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantilesAreNearestRanks(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * time.Millisecond // unsorted
	}
	tests := []struct {
		name  string
		times []time.Duration
		want  Quantiles
	}{
		{"none", nil, Quantiles{}},
		{"one", []time.Duration{7 * time.Millisecond}, Quantiles{P50: 7, P95: 7, P99: 7, Max: 7}},
		{"two", []time.Duration{20 * time.Millisecond, 10 * time.Millisecond}, Quantiles{P50: 10, P95: 20, P99: 20, Max: 20}},
		{"a hundred", hundred, Quantiles{P50: 50, P95: 95, P99: 99, Max: 100}},
		{"below a millisecond", []time.Duration{1500 * time.Nanosecond, 250 * time.Microsecond}, Quantiles{P50: 0.001, P95: 0.25, P99: 0.25, Max: 0.25}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, QuantilesOf(test.times))
		})
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	require.Zero(t, median(nil))
	require.InDelta(t, 3, median([]float64{9, 1, 3}), 0)
	require.InDelta(t, 2.5, median([]float64{4, 1, 3, 2}), 0)
}
