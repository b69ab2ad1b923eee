package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestAnEventShowsWhatItsPublisherSays(t *testing.T) {
	t.Parallel()
	s := newService(t)
	hook := s.webhook(adminKey, "nothing.else")
	id := text(t, s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","data":1,"webhook_ids":["`+hook+`","`+hook+`"],
		"occurred_at":"2020-01-02T03:04:05.123456789+01:00","metadata":{"order_id":"42"}}`).object(), "id")
	items, _ := s.admin(http.StatusOK, "GET", "/api/events", "").list()
	for _, event := range []map[string]any{items[0], s.admin(http.StatusOK, "GET", "/api/events/"+id, "").object()} {
		require.Equal(t, "2020-01-02T02:04:05.123456Z", event["occurred_at"])
		require.Equal(t, map[string]any{"order_id": "42"}, event["metadata"])
		require.Equal(t, []any{hook}, event["webhook_ids"])
		require.EqualValues(t, 1, event["delivery_count"])
	}
	plain := text(t, s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","data":1}`).object(), "id")
	event := s.admin(http.StatusOK, "GET", "/api/events/"+plain, "").object()
	require.Equal(t, event["created_at"], event["occurred_at"])
	require.Equal(t, map[string]any{}, event["metadata"])
	require.NotContains(t, event, "webhook_ids")
}

func TestWrongFieldsOfAnEvent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	aID, a := s.owner("a")
	_, b := s.owner("b")
	mine, theirs := s.webhook(a, "*"), s.webhook(b, "*")
	ids := func(n int) string {
		return `"` + strings.Join(strings.Fields(strings.Repeat(mine+" ", n)), `","`) + `"`
	}
	for body, want := range map[string]string{
		`"webhook_ids":[]`:                                    "body.webhook_ids",
		`"webhook_ids":["` + theirs + `"]`:                    "body.webhook_ids[0]",
		`"webhook_ids":["` + mine + `","wh_"]`:                "body.webhook_ids[1]",
		`"webhook_ids":[` + ids(101) + `]`:                    "body.webhook_ids",
		`"deliver_at":"tomorrow"`:                             "body.deliver_at",
		`"deliver_at":"2999-01-01T00:00:00Z"`:                 "body.deliver_at",
		`"delay":"31d"`:                                       "body.delay",
		`"delay":0`:                                           "body.delay",
		`"delay":"soon"`:                                      "body.delay",
		`"delay":"1h","deliver_at":"2020-01-01T00:00:00Z"`:    "body.delay",
		`"occurred_at":"yesterday"`:                           "body.occurred_at",
		`"metadata":{"a":"é"}`:                                "body.metadata.a",
		`"metadata":{"a":1}`:                                  "body.metadata.a",
		`"metadata":{"a":null}`:                               "body.metadata.a",
		`"metadata":{"a_b":"1","A-B":"2"}`:                    "body.metadata.a_b",
		`"metadata":{"a b":"1"}`:                              "body.metadata",
		`"metadata":{"a":"1","a":"2"}`:                        "body.metadata.a",
		`"metadata":{"a":"` + strings.Repeat("x", 256) + `"}`: "body.metadata.a",
	} {
		problem := s.call(a, "POST", "/api/events", `{"event":"x","data":1,`+body+`}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, want, problem.Errors[0].Location, body)
	}
	for body, want := range map[string]string{
		`"owner_id":"` + aID + `","webhook_ids":["` + theirs + `"]`: "body.webhook_ids[0]",
		`"webhook_ids":["` + mine + `"]`:                            "body.webhook_ids[0]",
		`"broadcast":true,"webhook_ids":["` + mine + `"]`:           "body.webhook_ids",
	} {
		problem := s.call(adminKey, "POST", "/api/events", `{"event":"x","data":1,`+body+`}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, want, problem.Errors[0].Location, body)
	}
	s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"x","data":1,"owner_id":"`+aID+`","webhook_ids":["`+mine+`"]}`)
}

func TestTraceParent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for header, want := range map[string]string{
		valid: valid, "x": "", strings.ToUpper(valid): "", "ff" + valid[2:]: "", valid + "-more": "",
		"00-" + strings.Repeat("0", 32) + valid[35:]:      "",
		valid[:36] + strings.Repeat("0", 16) + valid[52:]: "",
	} {
		reply := s.call(adminKey, "POST", "/api/events", `{"event":"a","data":1}`, "Traceparent", header).is(http.StatusAccepted)
		event, err := s.store.Event(t.Context(), models.Scope{}, fmt.Sprint(reply.object()["id"]))
		require.NoError(t, err)
		require.Equal(t, want, event.TraceParent, header)
	}
}

func TestAnEventForLaterSaysSo(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.webhook(adminKey, "*")
	id := text(t, s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":1,"delay":"24h"}`).object(), "id")
	event := s.admin(http.StatusOK, "GET", "/api/events/"+id, "").object()
	items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries?event_id="+id, "").list()
	require.NotNil(t, event["deliver_at"])
	require.Equal(t, event["deliver_at"], items[0]["next_attempt_at"])
	require.Equal(t, "pending", items[0]["status"])
	s.settle()
	stored, err := s.store.Delivery(t.Context(), models.Scope{}, fmt.Sprint(items[0]["id"]))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stored, err = s.store.Delivery(t.Context(), models.Scope{}, stored.ID)
		return err == nil && stored.LeasedUntil != nil
	}, 30*time.Second, time.Millisecond, "the sweep knows that its workflow runs")
}

func TestErasedEvent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	s.webhook(key, "*")
	id := text(t, s.call(key, "POST", "/api/events", `{"event":"a","data":"private","metadata":{"a":"private"}}`).is(http.StatusAccepted).object(), "id")
	for range 2 {
		s.call(key, "DELETE", "/api/events/"+id+"/data", "").is(http.StatusNoContent)
	}
	reply := s.call(key, "GET", "/api/events/"+id, "").is(http.StatusOK)
	require.NotContains(t, reply.body, "private")
	event := reply.object()
	require.Nil(t, event["data"])
	require.NotNil(t, event["erased_at"])
	delivery := event["deliveries"].([]any)[0].(map[string]any)
	require.Equal(t, "cancelled", delivery["status"])
	require.Equal(t, "the event's data was erased", delivery["cancel_reason"])
	s.call(key, "POST", "/api/deliveries/"+fmt.Sprint(delivery["id"])+"/resend", "").problem(http.StatusConflict, "event_erased")
	items, _ := s.call(key, "GET", "/api/events?include=data", "").is(http.StatusOK).list()
	require.Nil(t, items[0]["data"])

	everyones := text(t, s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":1,"broadcast":true}`).object(), "id")
	s.call(key, "DELETE", "/api/events/"+everyones+"/data", "").problem(http.StatusForbidden, "forbidden")
	s.admin(http.StatusNoContent, "DELETE", "/api/events/"+everyones+"/data", "")
}
