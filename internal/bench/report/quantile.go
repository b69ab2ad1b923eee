package report

import (
	"math"
	"slices"
	"time"
)

// Quantiles are times in milliseconds that a share of all did not exceed.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// QuantilesOf sorts the times. Without any, all are 0.
func QuantilesOf(times []time.Duration) Quantiles {
	slices.Sort(times)
	return Quantiles{
		P50: milliseconds(quantile(times, 0.50)), P95: milliseconds(quantile(times, 0.95)),
		P99: milliseconds(quantile(times, 0.99)), Max: milliseconds(quantile(times, 1)),
	}
}

// quantile is the nearest rank: the smallest of the sorted values that at least this share does not exceed.
func quantile[T any](sorted []T, share float64) T {
	if len(sorted) == 0 {
		var zero T
		return zero
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median is the middle of the values, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
