package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestParseRetrySchedule(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, test := range []struct {
		text string
		want models.RetrySchedule
		as   string
	}{
		{"1m,5m,25m,2h,10h", models.DefaultRetrySchedule(), "1m,5m,25m,2h,10h"},
		{" 1m , 90s ", models.RetrySchedule{time.Minute, 90 * time.Second}, "1m,1m30s"},
		{"1s", models.RetrySchedule{time.Second}, "1s"},
		{"1.5s,1500ms", models.RetrySchedule{1500 * time.Millisecond, 1500 * time.Millisecond}, "1.5s,1.5s"},
		{"168h", models.RetrySchedule{7 * day}, "168h"},
		{"60m,100m,70s,1h0m1s", models.RetrySchedule{time.Hour, 100 * time.Minute, 70 * time.Second, time.Hour + time.Second}, "1h,1h40m,1m10s,1h0m1s"},
		{"10h,20m", models.RetrySchedule{10 * time.Hour, 20 * time.Minute}, "10h,20m"},
		{"none", models.RetrySchedule{}, "none"},
		{"", models.RetrySchedule{}, "none"},
		{strings.TrimSuffix(strings.Repeat("1s,", models.MaxRetries), ","), repeat(time.Second, models.MaxRetries), ""},
	} {
		got, err := models.ParseRetrySchedule(test.text)
		require.NoError(t, err, test.text)
		require.Equal(t, test.want, got, test.text)
		require.NotNil(t, got, "nil stands for the installation's schedule")
		if test.as != "" {
			require.Equal(t, test.as, got.String(), test.text)
		}
	}
}

func TestParseRetryScheduleRefuses(t *testing.T) {
	t.Parallel()
	for text, message := range map[string]string{
		"5":        `wait 1, "5", is not a duration`,
		"1m,":      `wait 2, "", is not a duration`,
		"1m;5m":    "is not a duration",
		"8d":       "is not between",
		"none,1m":  `wait 1, "none", is not a duration`,
		"1m,999ms": `wait 2, "999ms", is not between 1s and 168h`,
		"0s":       "is not between",
		"-1m":      "is not between",
		"168h1ns":  "is not between",
		strings.Repeat("x,", models.MaxRetries) + "x": "at most 20 waits, not 21",
	} {
		_, err := models.ParseRetrySchedule(text)
		require.ErrorContains(t, err, message, text)
	}
}

func TestRetryScheduleInADatabase(t *testing.T) {
	t.Parallel()
	for _, want := range []models.RetrySchedule{nil, {}, {time.Minute, 90 * time.Second}} {
		value, err := want.Value()
		require.NoError(t, err)
		got := models.RetrySchedule{time.Hour}
		require.NoError(t, got.Scan(value))
		require.Equal(t, want, got)
	}
	var schedule models.RetrySchedule
	require.NoError(t, schedule.Scan([]byte("2m")))
	require.Equal(t, models.RetrySchedule{2 * time.Minute}, schedule)
	require.Error(t, schedule.Scan(5))
	require.Error(t, schedule.Scan("soon"))
}

func FuzzRetrySchedule(f *testing.F) {
	for _, text := range []string{"", "none", "1m,5m,25m,2h,10h", "1.5s", "1h0m1s", "60m", "100m,", "168h0m0.000000001s", " 1m ,2m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		schedule, err := models.ParseRetrySchedule(text)
		if err != nil {
			return
		}
		again, err := models.ParseRetrySchedule(schedule.String())
		require.NoError(t, err, schedule.String())
		require.Equal(t, schedule, again)
		fromTexts, err := models.RetryScheduleOf(schedule.Texts())
		require.NoError(t, err)
		require.Equal(t, schedule, fromTexts)
	})
}

func repeat(wait time.Duration, times int) models.RetrySchedule {
	schedule := make(models.RetrySchedule, times)
	for i := range schedule {
		schedule[i] = wait
	}
	return schedule
}
