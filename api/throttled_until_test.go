package api_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// A webhook shows until when first attempts keep away from it, as long as they do.
func TestThrottleIsShown(t *testing.T) {
	t.Parallel()
	var clock atomic.Pointer[time.Time]
	set := func(at time.Time) { clock.Store(&at) }
	begun := time.Now()
	set(begun)
	s := newService(t, func(cfg *config) { cfg.Now = func() time.Time { return *clock.Load() } })
	shown := func(id string) any {
		t.Helper()
		health, ok := s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "").object()["health"].(map[string]any)
		require.True(t, ok)
		until, there := health["throttled_until"]
		require.True(t, there)
		return until
	}
	id := s.webhook(adminKey, "a")
	require.Nil(t, shown(id))
	_, delivery := s.delivery(adminKey, "a")
	until := begun.Add(time.Minute).UTC().Truncate(time.Millisecond)
	_, err := s.store.RecordAttempt(t.Context(), models.Outcome{
		Attempt: models.Attempt{ID: typeid.New(typeid.KindAttempt, begun), DeliveryID: delivery, Number: 1,
			Trigger: models.TriggerSchedule, ErrorClass: models.ErrorHTTPStatus, StartedAt: begun},
		Status: models.StatusFailed, NextAttemptAt: &until, ThrottledUntil: &until, RunID: "run",
	})
	require.NoError(t, err)
	require.Equal(t, until.Format(time.RFC3339Nano), shown(id))
	set(until)
	require.Nil(t, shown(id))
}
