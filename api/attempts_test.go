package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/headerlog"
	"github.com/postrider/postrider/models"
)

func TestAttemptsAreListed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("mine")
	webhookID := s.webhook(key, "a")
	_, other := s.owner("other")
	s.webhook(other, "a")
	_, id := s.delivery(key, "a")
	_, theirs := s.delivery(other, "a")
	packed := headerlog.Pack([]headerlog.Field{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "2\xff"}})
	begun := s.store.Now()
	for number := range 3 {
		s.attempt(id, models.StatusFailed, func(a *models.Attempt) {
			a.Number, a.StatusCode, a.ErrorClass, a.ResponseBody = number+1, pointer(500), models.ErrorHTTPStatus, []byte("no")
			a.StartedAt, a.RequestHeaders, a.ResponseHeaders = begun.Add(time.Duration(number)*time.Microsecond), packed, packed
		})
	}
	s.attempt(theirs, models.StatusDelivered)

	items, _ := s.call(key, "GET", "/api/attempts?webhook_id="+webhookID+"&status=failed&error_class=http_status,tls", "").is(http.StatusOK).list()
	require.Len(t, items, 3)
	require.EqualValues(t, 3, items[0]["number"])
	require.Equal(t, []any{id, webhookID, "a", nil, nil, nil},
		[]any{items[0]["delivery_id"], items[0]["webhook_id"], items[0]["event"], items[0]["response_body"], items[0]["request_headers"], items[0]["response_headers"]})

	items, _ = s.call(key, "GET", "/api/attempts?order=asc&limit=1&include=request_headers,response_headers,response_body", "").is(http.StatusOK).list()
	require.Equal(t, "no", items[0]["response_body"])
	require.Equal(t, map[string]any{"X-A": "1, 2\uFFFD"}, items[0]["response_headers"])
	require.Equal(t, "dlv_", items[0]["request_headers"].(map[string]any)["X-Webhook-Delivery"].(string)[:4])

	items, _ = s.call(key, "GET", "/api/attempts?since="+begun.Add(time.Microsecond).Format(time.RFC3339Nano), "").is(http.StatusOK).list()
	require.Len(t, items, 2, "times are exact to the microsecond")
	items, _ = s.admin(http.StatusOK, "GET", "/api/attempts?status=succeeded", "").list()
	require.Len(t, items, 1)
	items, _ = s.call(key, "GET", "/api/attempts?status=succeeded", "").is(http.StatusOK).list()
	require.Empty(t, items)
	for _, query := range []string{"status=delivered", "error_class=", "error_class=boom", "include=headers", "webhook_id=x", "since=today"} {
		s.call(key, "GET", "/api/attempts?"+query, "").problem(http.StatusUnprocessableEntity, "invalid")
	}
}

// Asked for all, a list of attempts stops at 4 MiB: the rest is on the next page.
func TestAttemptsWithHeadersAreBounded(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.webhook(adminKey, "a")
	_, id := s.delivery(adminKey, "a")
	var fields []headerlog.Field
	for range 8 {
		fields = append(fields, headerlog.Field{Name: "X-Long", Value: strings.Repeat("a", 1000)})
	}
	const made = 120
	for number := range made {
		s.attempt(id, models.StatusFailed, func(a *models.Attempt) {
			a.Number, a.ResponseBody = number+1, []byte(strings.Repeat("x", models.MaxResponseBody))
			a.RequestHeaders, a.ResponseHeaders = headerlog.Pack(fields), headerlog.Pack(fields)
		})
	}
	for _, path := range []string{"/api/attempts", "/api/deliveries/" + id + "/attempts"} {
		all, pages := 0, 0
		for query := "?limit=250&include=response_body,request_headers,response_headers"; ; pages++ {
			page := s.admin(http.StatusOK, "GET", path+query, "")
			require.LessOrEqual(t, len(page.body), models.MaxPageBytes+256<<10, path)
			items, next := page.list()
			if all += len(items); next == "" {
				break
			}
			query = "?limit=250&include=response_body,request_headers,response_headers&cursor=" + next
		}
		require.Equal(t, made, all, path)
		require.Positive(t, pages, path)
	}
}
