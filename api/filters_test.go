package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
)

func TestWebhookWithFilterAndTransform(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		made := s.admin(http.StatusCreated, "POST", "/api/webhooks",
			`{"url":"https://example.com","events":["*"],"filter":"data.amount > 100","transform":"{\"total\": data.amount}"}`).object()
		require.Equal(t, "data.amount > 100", made["filter"])
		require.Equal(t, `{"total": data.amount}`, made["transform"])
		path := "/api/webhooks/" + text(t, made, "id")
		publish := func(data string) any {
			return s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","data":`+data+`}`).object()["deliveries"]
		}
		require.EqualValues(t, 1, publish(`{"amount":101}`))
		require.EqualValues(t, 0, publish(`{"amount":100}`))
		require.EqualValues(t, 1, publish(`{}`))
		items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries", "").list()
		require.Len(t, items, 2)
		require.Equal(t, "filter: line 1, column 5: there is no such member; ask has(…) first, or write .?name.orValue(…)", items[0]["filter_error"])
		require.Nil(t, items[1]["filter_error"])

		s.admin(http.StatusOK, "PATCH", path, `{"description":"x"}`)
		shown := s.admin(http.StatusOK, "GET", path, "").object()
		require.Equal(t, "data.amount > 100", shown["filter"], "what a patch leaves out stays")
		shown = s.admin(http.StatusOK, "PATCH", path, `{"filter":null,"transform":null}`).object()
		require.Nil(t, shown["filter"])
		require.Nil(t, shown["transform"])
		require.EqualValues(t, 1, publish(`{"amount":100}`))
	})
}

// A fault in an expression is told with its place, before anything is stored.
func TestExpressionsThatCannotBeCompiled(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "*")
	for _, call := range []struct{ method, path, body, location, says string }{
		{"POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"filter":"data.amount >"}`, "body.filter", "line 1, column 14: "},
		{"POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"transform":"{\"a\":\n nobody}"}`, "body.transform", "line 2, column 2: there is nothing named nobody"},
		{"POST", "/api/webhooks", `{"url":"https://example.com","events":["*"],"filter":""}`, "body.filter", "must not be empty"},
		{"PATCH", "/api/webhooks/" + id, `{"filter":"\"text\""}`, "body.filter", "a filter gives true or false"},
		{"PATCH", "/api/webhooks/" + id, `{"transform":"` + strings.Repeat("1+", 5000) + `1"}`, "body.transform", "at most 8192 bytes"},
		{"PATCH", "/api/webhooks/" + id, `{"filter":"data.t.matches(\"(\")"}`, "body.filter", "column 16: not a regular expression"},
		{"POST", "/api/filters/try", `{"filter":"(","event":{"event":"a","data":1}}`, "body.filter", "line 1, column 2: "},
		{"POST", "/api/filters/try", `{"event":{"event":"a","data":1}}`, "body.filter", "expected a filter, a transform, or both"},
		{"POST", "/api/filters/try", `{"filter":"true","event":{"event":"a b","data":1}}`, "body.event.event", "expected words"},
		{"POST", "/api/filters/try", `{"filter":"true","event":{"event":"a","data":1,"metadata":{"a b":""}}}`, "body.event.metadata", "expected names"},
		{"POST", "/api/filters/try", `{"filter":"true","event":{"event":"a","data":1},"webhook":{"metadata":{"a":" "}}}`, "body.webhook.metadata.a", ""},
	} {
		problem := s.call(adminKey, call.method, call.path, call.body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, call.location, problem.Errors[0].Location, call)
		if call.says != "must not be empty" {
			require.Contains(t, problem.Errors[0].Message, call.says, call)
		}
	}
	require.Nil(t, s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "").object()["filter"])
}

func TestTryFilter(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, key := s.owner("a")
	for body, want := range map[string]map[string]any{
		`{"filter":"data.n > 1","transform":"{\"b\": data, \"a\": event.type}","event":{"event":"x.y","data":{"n":2, "m":1.0}}}`: {
			"passes": true, "errors": []any{},
			"data": map[string]any{"a": "x.y", "b": map[string]any{"n": 2.0, "m": 1.0}},
		},
		`{"filter":"metadata.region == webhook.metadata.region","transform":"webhook.external_id",
			"event":{"event":"a","data":1,"metadata":{"region":"eu"}},"webhook":{"external_id":"primary","metadata":{"region":"eu"}}}`: {
			"passes": true, "data": "primary", "errors": []any{},
		},
		`{"transform":"[webhook.external_id, webhook.metadata, metadata]","event":{"event":"a","data":1}}`: {
			"passes": nil, "data": []any{"", map[string]any{}, map[string]any{}}, "errors": []any{},
		},
		`{"filter":"data.n > 1","event":{"event":"a","data":{"n":1}}}`: {"passes": false, "data": nil, "errors": []any{}},
		`{"filter":"true &&\n data.m > 1","transform":"data.list[7]","event":{"event":"a","data":{"list":[]}}}`: {
			"passes": nil, "data": nil, "errors": []any{
				map[string]any{"expression": "filter", "line": 2.0, "column": 6.0, "message": "there is no such member; ask has(…) first, or write .?name.orValue(…)"},
				map[string]any{"expression": "transform", "line": 1.0, "column": 10.0, "message": "the list has no such position"},
			},
		},
	} {
		require.Equal(t, want, s.call(key, "POST", "/api/filters/try", body).is(http.StatusOK).object(), body)
	}
}
