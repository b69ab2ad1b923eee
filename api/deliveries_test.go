package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

var deliveryMembers = []string{
	"attempt_count", "cancel_reason", "created_at", "delivered_at", "event", "event_id", "filter_error", "id", "last_error", "last_status_code",
	"next_attempt_at", "owner_id", "status", "waits_for", "webhook_id", "workflow",
}

func TestDeliveryAndItsAttempts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		webhookID := s.webhook(adminKey, "*")
		eventID, id := s.delivery(adminKey, "order.paid")
		path := "/api/deliveries/" + id
		items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries", "").list()
		require.Len(t, items, 1)
		require.Equal(t, deliveryMembers, members(items[0]))
		delete(items[0], "created_at")
		require.Equal(t, map[string]any{
			"id": id, "event_id": eventID, "webhook_id": webhookID, "owner_id": models.DefaultOwnerID, "event": "order.paid",
			"status": "pending", "attempt_count": 0.0, "next_attempt_at": nil, "delivered_at": nil, "last_status_code": nil,
			"last_error": nil, "cancel_reason": nil, "filter_error": nil, "waits_for": nil,
			"workflow": map[string]any{"id": id, "run_id": nil, "url": "https://temporal.example/" + id + "/"},
		}, items[0])
		shown := s.admin(http.StatusOK, "GET", path, "").object()
		require.Equal(t, []any{}, shown["attempts"])

		s.attempt(id, models.StatusFailed, func(a *models.Attempt) {
			a.ErrorClass, a.Error = models.ErrorConnectionRefused, "connection refused"
		})
		s.attempt(id, models.StatusDelivered, func(a *models.Attempt) {
			a.Number, a.Trigger, a.StatusCode = 2, models.TriggerResend, pointer(202)
			a.ResponseBody, a.RemoteAddr = []byte("ok\xff"), "192.0.2.1:443"
		})
		shown = s.admin(http.StatusOK, "GET", path, "").object()
		require.Equal(t, "delivered", shown["status"])
		require.EqualValues(t, 2, shown["attempt_count"])
		require.EqualValues(t, 202, shown["last_status_code"])
		require.Nil(t, shown["last_error"])
		require.NotNil(t, shown["delivered_at"])
		require.Equal(t, map[string]any{"id": id, "run_id": "run-1", "url": "https://temporal.example/" + id + "/run-1"}, shown["workflow"])
		attempts, ok := shown["attempts"].([]any)
		require.True(t, ok)
		require.Len(t, attempts, 2)
		for i, want := range []map[string]any{
			{
				"number": 1.0, "trigger": "schedule", "status_code": nil, "error_class": "connection_refused",
				"error": "connection refused", "duration_ms": 12.0, "response_body": nil, "remote_addr": nil,
			},
			{
				"number": 2.0, "trigger": "resend", "status_code": 202.0, "error_class": nil, "error": nil,
				"duration_ms": 12.0, "response_body": "ok\uFFFD", "remote_addr": "192.0.2.1:443",
			},
		} {
			attempt, ok := attempts[i].(map[string]any)
			require.True(t, ok)
			require.NoError(t, typeid.Check(typeid.KindAttempt, text(t, attempt, "id")))
			_, err := time.Parse(time.RFC3339Nano, text(t, attempt, "started_at"))
			require.NoError(t, err)
			require.Equal(t, []any{id, shown["webhook_id"], "order.paid"}, []any{attempt["delivery_id"], attempt["webhook_id"], attempt["event"]})
			require.Nil(t, attempt["request_headers"], "it was recorded without")
			require.Nil(t, attempt["response_headers"])
			for _, name := range []string{"delivery_id", "webhook_id", "event", "request_headers", "response_headers"} {
				delete(attempt, name)
			}
			delete(attempt, "id")
			delete(attempt, "started_at")
			require.Equal(t, want, attempt)
		}
	})
}

func TestDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, key := s.owner("a")
	orders, users := s.webhook(key, "order.*"), s.webhook(adminKey, "user.*")
	orderEvent, order := s.delivery(key, "order.paid")
	userEvent, user := s.delivery(adminKey, "user.created")
	s.attempt(user, models.StatusDelivered)
	created, err := s.store.Delivery(t.Context(), models.Scope{}, order)
	require.NoError(t, err)
	at := func(change time.Duration) string {
		return url.QueryEscape(created.CreatedAt.Add(change).Format(time.RFC3339Nano))
	}
	for query, want := range map[string][]string{
		"":                                   {user, order},
		"status=pending":                     {order},
		"status=delivered":                   {user},
		"status=cancelled":                   nil,
		"webhook_id=" + orders:               {order},
		"webhook_id=" + users:                {user},
		"event=order.paid":                   {order},
		"event=order":                        nil,
		"event_id=" + orderEvent:             {order},
		"event_id=" + userEvent:              {user},
		"owner_id=" + ownerID:                {order},
		"until=" + at(-time.Second):          nil,
		"since=" + at(-time.Second):          {user, order},
		"since=" + at(time.Minute):           nil,
		"status=pending&webhook_id=" + users: nil,
	} {
		items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries?"+query, "").list()
		require.ElementsMatch(t, want, idsOf(t, items), query)
	}
	items, _ := s.call(key, "GET", "/api/deliveries", "").is(http.StatusOK).list()
	require.Equal(t, []string{order}, idsOf(t, items))
}

func TestResend(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, key := s.owner("a")
	webhookID := s.webhook(key, "*")
	_, id := s.delivery(key, "a")
	path := "/api/deliveries/" + id + "/resend"

	answer := s.call(key, "POST", path, "").is(http.StatusAccepted).object()
	require.Equal(t, deliveryMembers, members(answer))
	require.Equal(t, id, answer["id"])
	s.admin(http.StatusAccepted, "POST", path, "")
	require.Len(t, s.temporal.signals, 2)
	first, ok := s.temporal.signals[0].(contract.ResendSignal)
	require.True(t, ok)
	require.NoError(t, typeid.Check(typeid.KindKey, first.RequestedBy), "the key's ID, never the key")
	require.Equal(t, contract.ResendSignal{RequestedBy: "admin key", BeforeCancel: true}, s.temporal.signals[1])

	s.temporal.set(func(f *temporal) { f.away = serviceerror.NewUnavailable("connection refused to 10.1.2.3") })
	reply := s.call(key, "POST", path, "")
	require.Equal(t, "5", reply.header.Get("Retry-After"))
	require.NotContains(t, reply.body, "10.1.2.3")
	require.Contains(t, reply.problem(http.StatusServiceUnavailable, "unavailable").Detail, "Temporal")

	s.call(key, "PATCH", "/api/webhooks/"+webhookID, `{"active":false}`).is(http.StatusOK)
	require.Contains(t, s.call(key, "POST", path, "").problem(http.StatusConflict, "webhook_inactive").Detail, "active")
	require.NotEmpty(t, ownerID)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.webhook(adminKey, "*")
	_, running := s.delivery(adminKey, "a")
	answer := s.admin(http.StatusAccepted, "POST", "/api/deliveries/"+running+"/cancel", "").object()
	require.Equal(t, deliveryMembers, members(answer))

	s.temporal.set(func(f *temporal) { f.cancelErr = serviceerror.NewNotFound("no such workflow") })
	_, unstarted := s.delivery(adminKey, "a")
	s.admin(http.StatusAccepted, "POST", "/api/deliveries/"+unstarted+"/cancel", "")
	shown := s.admin(http.StatusOK, "GET", "/api/deliveries/"+unstarted, "").object()
	require.Equal(t, "cancelled", shown["status"])
	require.Equal(t, "cancelled on request", shown["cancel_reason"])
	s.call(adminKey, "POST", "/api/deliveries/"+unstarted+"/cancel", "").problem(http.StatusConflict, "delivery_finished")

	_, delivered := s.delivery(adminKey, "a")
	s.attempt(delivered, models.StatusDelivered)
	s.call(adminKey, "POST", "/api/deliveries/"+delivered+"/cancel", "").problem(http.StatusConflict, "delivery_finished")

	s.temporal.set(func(f *temporal) { f.cancelErr = serviceerror.NewUnavailable("away") })
	s.call(adminKey, "POST", "/api/deliveries/"+running+"/cancel", "").problem(http.StatusServiceUnavailable, "unavailable")
}
