package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// healthOf reads a webhook's health, which lists show as the webhook itself does.
func (s *server) healthOf(webhookID string) map[string]any {
	s.t.Helper()
	shown := s.admin(http.StatusOK, "GET", "/api/webhooks/"+webhookID, "").object()
	items, _ := s.admin(http.StatusOK, "GET", "/api/webhooks", "").list()
	require.Contains(s.t, items, shown)
	health, ok := shown["health"].(map[string]any)
	require.True(s.t, ok, shown)
	return health
}

func TestWebhookHealth(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		id := s.webhook(adminKey, "*")
		require.Equal(t, map[string]any{
			"status": "healthy", "consecutive_failures": 0.0, "failed_deliveries": 0.0,
			"first_failure_at": nil, "last_failure_at": nil, "last_success_at": nil, "throttled_until": nil,
		}, s.healthOf(id))

		ends := func(status models.Status, change ...func(*models.Attempt)) {
			_, deliveryID := s.delivery(adminKey, "order.created")
			s.attempt(deliveryID, status, change...)
		}
		ends(models.StatusDelivered)
		health := s.healthOf(id)
		require.NotNil(t, health["last_success_at"])
		ends(models.StatusFailed)
		first := text(t, s.healthOf(id), "first_failure_at")
		ends(models.StatusPermanentlyFailed)
		health = s.healthOf(id)
		require.Equal(t, "healthy", health["status"])
		require.Equal(t, 2.0, health["consecutive_failures"])
		require.Equal(t, 1.0, health["failed_deliveries"])
		require.Equal(t, first, health["first_failure_at"])
		require.Greater(t, text(t, health, "last_failure_at"), first)
		require.Regexp(t, `Z$`, health["last_success_at"])
		for range 9 {
			ends(models.StatusPermanentlyFailed)
		}
		require.Equal(t, "failing", s.healthOf(id)["status"])
	})
}

// Enabling what Postrider disabled is one PATCH; the webhook's health begins anew.
func TestEnableWebhookAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		id := s.webhook(adminKey, "*")
		_, deliveryID := s.delivery(adminKey, "order.created")
		_, err := s.store.RecordAttempt(t.Context(), models.Outcome{
			Status: models.StatusPermanentlyFailed, DisableWebhook: "the receiver answered 410 Gone",
			Attempt: models.Attempt{ID: typeid.New(typeid.KindAttempt, s.store.Now()), DeliveryID: deliveryID, StartedAt: s.store.Now()},
		})
		require.NoError(t, err)
		require.Equal(t, "disabled", s.healthOf(id)["status"])
		shown := s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "").object()
		require.Equal(t, false, shown["active"])
		require.Equal(t, "the receiver answered 410 Gone", shown["disabled_reason"])

		shown = s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"active":true}`).object()
		require.Equal(t, true, shown["active"])
		require.Nil(t, shown["disabled_reason"])
		health := s.healthOf(id)
		require.Equal(t, "healthy", health["status"])
		require.Equal(t, 0.0, health["consecutive_failures"])
		require.Nil(t, health["first_failure_at"])
		s.delivery(adminKey, "order.created")
	})
}

func TestWebhookRateLimit(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const body = `{"url":"https://example.com","events":["*"],"rate_limit":%s}`
	made := s.admin(http.StatusCreated, "POST", "/api/webhooks", fmt.Sprintf(body, "0.5")).object()
	require.Equal(t, 0.5, made["rate_limit"])
	path := "/api/webhooks/" + text(t, made, "id")
	require.Equal(t, 5.0, s.admin(http.StatusOK, "PATCH", path, `{"rate_limit":5}`).object()["rate_limit"])
	require.Equal(t, 5.0, s.admin(http.StatusOK, "PATCH", path, `{"description":"x"}`).object()["rate_limit"])
	require.Nil(t, s.admin(http.StatusOK, "PATCH", path, `{"rate_limit":null}`).object()["rate_limit"])
	require.Nil(t, s.admin(http.StatusCreated, "POST", "/api/webhooks", fmt.Sprintf(body, "null")).object()["rate_limit"])
	for _, wrong := range []string{"0", "-1", "0.009", "1000.1", "1e300", `"5"`} {
		refused := s.call(adminKey, "POST", "/api/webhooks", fmt.Sprintf(body, wrong)).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.rate_limit", refused.Errors[0].Location)
		s.call(adminKey, "PATCH", path, `{"rate_limit":`+wrong+`}`).problem(http.StatusUnprocessableEntity, "invalid")
	}
	require.Nil(t, s.admin(http.StatusOK, "GET", path, "").object()["rate_limit"], "nothing was changed")
}

// Operational events are subscribed to as all others, and nobody but Postrider publishes them.
func TestOperationalEventsAreNotPublished(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, eventType := range models.OperationalEvents() {
		s.webhook(adminKey, eventType)
		refused := s.call(adminKey, "POST", "/api/events", `{"event":"`+eventType+`","data":{}}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.event", refused.Errors[0].Location)
		require.Contains(t, refused.Errors[0].Message, "published by Postrider itself")
	}
}
