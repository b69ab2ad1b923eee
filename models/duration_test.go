package models_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0,
		"1m30s": 90 * time.Second, "30d": 30 * day, "1d12h": 36 * time.Hour, "0.5d": 12 * time.Hour, ".5d": 12 * time.Hour,
		"-1d1h": -25 * time.Hour, "+2d": 2 * day, "1.5h": 90 * time.Minute, "100ms": 100 * time.Millisecond, "5us": 5 * time.Microsecond,
		"1h1h": 2 * time.Hour, "106751d": 106751 * day, "2562047h47m16.85s": math.MaxInt64 - 4775807,
	} {
		got, err := models.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", " ", "d", "h", "5", "90", "1.5", "soon", "1w", "1d ", " 1d", "12h1d", "1d1d", "1,5h", "1..5h", "1.2.3h", "--1h", "0x10", "1e", "NaN", "Inf", "1 h", "1D", "\x00", "1h30",
	} {
		_, err := models.ParseDuration(text)
		require.ErrorIs(t, err, models.ErrBadDuration, text)
	}
	for _, text := range []string{
		"106752d", "2562048h", "106751d24h", "99999999999999999999d", "99999999999999999999h", "-106752d",
	} {
		_, err := models.ParseDuration(text)
		require.ErrorIs(t, err, models.ErrLongDuration, text)
		require.Contains(t, err.Error(), "at most 106751d")
	}
	for number, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "1.5": 1500 * time.Millisecond, "1e3": 1000 * time.Second, "-5": -5 * time.Second,
		"9223372036": 9223372036 * time.Second,
	} {
		got, err := models.ParseSeconds(number)
		require.NoError(t, err, number)
		require.Equal(t, want, got, number)
	}
	for _, number := range []string{"9223372037", "1e300", "1e999", "-1e999"} {
		_, err := models.ParseSeconds(number)
		require.ErrorIs(t, err, models.ErrLongDuration, number)
	}
	_, err := models.ParseSeconds("1s")
	require.ErrorIs(t, err, models.ErrBadDuration)
}
