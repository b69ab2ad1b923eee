package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestStats(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("mine")
	webhookID := s.webhook(key, "a")
	_, id := s.delivery(key, "a")
	s.attempt(id, models.StatusFailed, func(a *models.Attempt) { a.ErrorClass = models.ErrorTLS })
	s.attempt(id, models.StatusDelivered, func(a *models.Attempt) { a.Number = 2 })

	to := s.store.Now().Truncate(time.Hour).Add(time.Hour)
	points, _ := s.call(key, "GET", "/api/stats?webhook_id="+webhookID+"&event=a&to="+url.QueryEscape(to.Format(time.RFC3339)), "").is(http.StatusOK).list()
	require.Len(t, points, 24)
	sum := map[string]float64{}
	for i, point := range points {
		from, err := time.Parse(time.RFC3339, text(t, point, "from"))
		require.NoError(t, err)
		require.True(t, from.Equal(to.Add(time.Duration(i-24)*time.Hour)))
		for _, name := range []string{"published", "delivered", "failed", "permanently_failed", "attempts"} {
			sum[name] += point[name].(float64)
		}
		if point["attempts"] == 0.0 {
			require.Nil(t, point["success_rate"])
			continue
		}
		require.InDelta(t, 0.5, point["success_rate"], 0.001)
		require.Equal(t, map[string]any{"p50": 12.0, "p95": 12.0, "p99": 12.0}, point["duration_ms"])
	}
	require.Equal(t, map[string]float64{"published": 1, "delivered": 1, "failed": 1, "permanently_failed": 0, "attempts": 2}, sum)

	days, _ := s.admin(http.StatusOK, "GET", "/api/stats?interval=day", "").list()
	require.Contains(t, []int{30, 31}, len(days))
	for _, query := range []string{
		"interval=minute", "from=2020-01-01T00:00:00Z", "from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "to=x", "to=0000-01-01T00:00:00Z", "webhook_id=x", "event=a%20b", "owner_id=own_1",
		"interval=day&from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z",
	} {
		s.call(key, "GET", "/api/stats?"+query, "").problem(http.StatusUnprocessableEntity, "invalid")
	}
}
