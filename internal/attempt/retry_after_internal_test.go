package attempt

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		values []string
		want   time.Duration
	}{
		{nil, 0},
		{[]string{""}, 0},
		{[]string{"0"}, 0},
		{[]string{"100"}, 100 * time.Second},
		{[]string{" 100\t"}, 100 * time.Second},
		{[]string{"100.5"}, 101 * time.Second},
		{[]string{"100."}, 100 * time.Second},
		{[]string{"+100"}, 100 * time.Second},
		{[]string{"007"}, 7 * time.Second},
		{[]string{"86401"}, maxRetryAfter},
		{[]string{"99999999999999999999999"}, maxRetryAfter},
		{[]string{"-100"}, 0},
		{[]string{"1e3"}, 0},
		{[]string{"0x10"}, 0},
		{[]string{".5"}, 0},
		{[]string{"NaN"}, 0},
		{[]string{"inf"}, 0},
		{[]string{"1_000"}, 0},
		{[]string{"soon"}, 0},
		{[]string{"Fri, 02 Jan 2026 03:06:05 GMT"}, 2 * time.Minute},
		{[]string{"Fri, 02 Jan 2026 03:06:05 UTC"}, 2 * time.Minute},
		{[]string{"Fri, 02 Jan 2026 03:06:05 gmt"}, 2 * time.Minute},
		{[]string{"Fri, 2 Jan 2026 03:06:05 GMT"}, 2 * time.Minute},
		{[]string{"Fri, 02 Jan 2026 04:06:05 +0100"}, 2 * time.Minute},
		{[]string{"Friday, 02-Jan-26 03:06:05 GMT"}, 2 * time.Minute},
		{[]string{"Friday, 02-Jan-26 03:06:05 UTC"}, 2 * time.Minute},
		{[]string{"Fri Jan  2 03:06:05 2026"}, 2 * time.Minute},
		{[]string{"2026-01-02T03:06:05Z"}, 2 * time.Minute},
		{[]string{"Fri, 02 Jan 2026 03:06:05 EST"}, 0},
		{[]string{"Friday, 02-Jan-26 03:06:05 EST"}, 0},
		{[]string{"Fri, 02 Jan 2026 03:06:05"}, 0},
		{[]string{"Thu, 01 Jan 2026 03:06:05 GMT"}, 0},
		{[]string{"Friday, 02-Jan-94 03:06:05 GMT"}, 0},
		{[]string{"Fri, 02 Jan 2099 03:06:05 GMT"}, maxRetryAfter},
		{[]string{"10", "20", "soon"}, 20 * time.Second},
		{[]string{"10, 20"}, 20 * time.Second},
		{[]string{"10", "Fri, 02 Jan 2026 03:06:05 GMT"}, 2 * time.Minute},
	} {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			require.Equal(t, test.want, retryAfter(models.Attempt{StatusCode: &status}, http.Header{"Retry-After": test.values}, now), "%q", test.values)
		}
	}
	ok, header := http.StatusInternalServerError, http.Header{"Retry-After": {"100"}}
	require.Zero(t, retryAfter(models.Attempt{StatusCode: &ok}, header, now), "only 429 and 503 are asked for it")
	require.Zero(t, retryAfter(models.Attempt{}, header, now))
}
