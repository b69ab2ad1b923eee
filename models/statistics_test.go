package models_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// Every time, from none to forty days, comes out of a histogram within 5 %, rounded to milliseconds.
func TestHistogramIsExactToFivePercent(t *testing.T) {
	t.Parallel()
	for ms := int64(0); ms < 40*24*3600*1000; ms += 1 + ms/37 {
		var h models.Histogram
		h.Count(time.Duration(ms) * time.Millisecond)
		got, some := models.UnpackHistogram(h.Pack()).Quantile(0.5)
		require.True(t, some)
		require.LessOrEqual(t, math.Abs(float64(got-ms)), 0.5+0.05*float64(ms), ms)
	}
}

func TestHistogramQuantiles(t *testing.T) {
	t.Parallel()
	var a, b models.Histogram
	_, some := a.Quantile(0.5)
	require.False(t, some)
	require.Nil(t, a.Pack())
	for ms := range 500 {
		a.Count(time.Duration(ms) * time.Millisecond)
		b.Count(time.Duration(ms+500) * time.Millisecond)
	}
	var sum models.Tally
	sum.Add(models.Tally{Latency: a})
	sum.Add(models.Tally{Latency: b})
	for share, want := range map[float64]float64{0: 0, 0.5: 500, 0.95: 950, 0.99: 990, 1: 1000} {
		got, _ := sum.Latency.Quantile(share)
		require.InDelta(t, want, got, 0.05*want+1, share)
	}
	for _, cut := range [][]byte{{0x80}, {1, 0x80}, {0xff, 0xff}} {
		require.Empty(t, models.UnpackHistogram(cut))
	}
}

// BenchmarkMonth adds the hours of a month.
func BenchmarkMonth(b *testing.B) {
	var h models.Histogram
	for ms := range 2000 {
		h.Count(time.Duration(ms*ms/10) * time.Millisecond)
	}
	packed := h.Pack()
	for b.Loop() {
		var sum models.Tally
		for range 720 {
			hour := models.UnpackHistogram(packed)
			sum.Add(models.Tally{Latency: hour, Duration: hour})
		}
	}
}
