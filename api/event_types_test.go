package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
)

const orderSchema = `{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"note":{"type":"string"}}}`

func TestCatalogue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		_, key := s.owner("a")
		made := s.admin(http.StatusCreated, "POST", "/api/event-types",
			`{"name":"order.created","description":"An order","group":"Orders","schema":`+orderSchema+`,"example":{"id":1}}`).object()
		require.Equal(t, []string{"created_at", "deprecated", "description", "example", "group", "name", "schema", "updated_at"}, members(made))
		require.Equal(t, map[string]any{"id": 1.0}, made["example"])
		require.Equal(t, made, s.call(key, "GET", "/api/event-types/order.created", "").is(http.StatusOK).object(), "every key reads")
		s.call(adminKey, "POST", "/api/event-types", `{"name":"order.created"}`).problem(http.StatusConflict, "event_type_exists")
		s.call(key, "PUT", "/api/event-types/order.created", `{}`).problem(http.StatusForbidden, "forbidden")
		s.call(key, "GET", "/api/event-types/none", "").problem(http.StatusNotFound, "not_found")

		items, _ := s.call(key, "GET", "/api/event-types", "").is(http.StatusOK).list()
		require.Len(t, items, 1)
		require.Nil(t, items[0]["schema"])
		items, _ = s.call(key, "GET", "/api/event-types?include=schemas", "").is(http.StatusOK).list()
		require.Equal(t, made, items[0])

		put := s.admin(http.StatusOK, "PUT", "/api/event-types/order.created", `{"schema":`+orderSchema+`,"deprecated":true}`).object()
		require.Equal(t, true, put["deprecated"])
		require.Nil(t, put["group"], "what PUT leaves out is removed")
		require.Nil(t, put["example"])
		s.admin(http.StatusCreated, "PUT", "/api/event-types/order.paid", `{"example":{"id":2}}`)
		s.admin(http.StatusNoContent, "DELETE", "/api/event-types/order.paid", "")
		s.call(adminKey, "DELETE", "/api/event-types/order.paid", "").problem(http.StatusNotFound, "not_found")
	})
}

func TestCatalogueRefuses(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for body, want := range map[string][2]string{
		`{"name":"a b"}`:                                                 {"body.name", "expected words"},
		`{"name":"a","schema":{"type":"x"}}`:                             {"body.schema", "is not a JSON Schema: at type"},
		`{"name":"a","schema":{"$ref":"https://x.y/z"}}`:                 {"body.schema", "only references within the schema"},
		`{"name":"a","schema":` + orderSchema + `,"example":{"id":"1"}}`: {"body.example.id", "does not fit the schema: got string, want integer"},
		`{"name":"a","example":"` + strings.Repeat("x", 64<<10) + `"}`:   {"body.example", "at most 64 KiB"},
		`{"name":"a","group":"` + strings.Repeat("x", 101) + `"}`:        {"body.group", "at most 100 characters"},
	} {
		problem := s.call(adminKey, "POST", "/api/event-types", body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, want[0], problem.Errors[0].Location, body)
		require.Contains(t, problem.Errors[0].Message, want[1], body)
	}
}

// A schema that breaks what consumers rely on is refused, with what breaks, unless an administrator insists.
func TestSchemaThatBreaks(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.admin(http.StatusCreated, "PUT", "/api/event-types/a", `{"schema":`+orderSchema+`}`)
	looser := `{"schema":{"type":"object","properties":{"id":{"type":["integer","string"]}}},"description":"x"}`
	problem := s.call(adminKey, "PUT", "/api/event-types/a", looser).problem(http.StatusConflict, "schema_breaks")
	require.Contains(t, problem.Detail, "force=true")
	var breaks []string
	for _, field := range problem.Errors {
		breaks = append(breaks, field.Location+" "+field.Message)
	}
	require.ElementsMatch(t, []string{"data.id is not required any more", "data.id may be string, and was integer",
		"data.note is not described any more, and may be anything"}, breaks)
	require.Empty(t, s.admin(http.StatusOK, "GET", "/api/event-types/a", "").object()["description"])
	s.admin(http.StatusOK, "PUT", "/api/event-types/a?force=true", looser)
	require.Equal(t, "x", s.admin(http.StatusOK, "GET", "/api/event-types/a", "").object()["description"])
}

func TestImportEventTypes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.admin(http.StatusCreated, "PUT", "/api/event-types/b", `{"schema":{"type":"string"}}`)
	s.admin(http.StatusCreated, "PUT", "/api/event-types/c", `{}`)
	webhook := func(schema string) string {
		return `{"post":{"requestBody":{"content":{"application/json":{"schema":` + schema + `}}}}}`
	}
	document := `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"webhooks":{"a":` + webhook(`{"$ref":"#/components/schemas/A"}`) + `,"b":` + webhook(`{"type":"null"}`) +
		`,"c":` + webhook(`true`) + `,"d e":` + webhook(`true`) + `},"components":{"schemas":{"A":{"type":"object"}}}}`
	require.Equal(t, map[string]any{
		"created": []any{"a"}, "changed": []any{"c"}, "refused": []any{
			map[string]any{"name": "b", "errors": []any{map[string]any{"location": "data", "message": "may be null, and was string"}}},
			map[string]any{"name": "d e", "errors": []any{map[string]any{"location": "name", "message": "expected words of letters, digits, _ and - joined by dots, such as order.created, at most 128 characters"}}},
		},
	}, s.admin(http.StatusOK, "POST", "/api/event-types/import", document).object())
	again := s.admin(http.StatusOK, "POST", "/api/event-types/import?force=true", document).object()
	require.Equal(t, []any{"a", "b", "c"}, again["changed"])
	problem := s.call(adminKey, "POST", "/api/event-types/import", `{"openapi":"3.0.0"}`).problem(http.StatusUnprocessableEntity, "invalid")
	require.Contains(t, problem.Errors[0].Message, "version 3.1")
}

// With --validate-events, what does not fit is refused; another process notices a change within seconds.
func TestValidateEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		clock := storetest.NewClock()
		s := newServiceOn(t, db, func(cfg *config) { cfg.Service.ValidateEvents, cfg.Now = true, clock.Now })
		other := newServiceOn(t, db)
		publish := func(data string) reply {
			return s.call(adminKey, "POST", "/api/events", `{"event":"order.created","data":`+data+`}`)
		}
		publish(`{"id":"unknown types may be published"}`).is(http.StatusAccepted)
		other.admin(http.StatusCreated, "PUT", "/api/event-types/order.created", `{"schema":`+orderSchema+`}`)
		clock.Advance(2 * time.Second)
		publish(`{"id":1}`).is(http.StatusAccepted)
		problem := publish(`{"id":"1","note":7}`).problem(http.StatusUnprocessableEntity, "invalid")
		var faults []string
		for _, field := range problem.Errors {
			faults = append(faults, field.Location+": "+field.Message)
		}
		require.ElementsMatch(t, []string{
			"body.data.id: does not fit the schema of order.created: got string, want integer",
			"body.data.note: does not fit the schema of order.created: got number, want string",
		}, faults)
		other.admin(http.StatusOK, "PUT", "/api/event-types/order.created?force=true", `{}`)
		clock.Advance(2 * time.Second)
		publish(`{"id":"1"}`).is(http.StatusAccepted)
		// Where it is not asked for, nothing is checked.
		other.admin(http.StatusOK, "PUT", "/api/event-types/order.created", `{"schema":false}`)
		other.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","data":1}`)
	})
}

func TestWebhookIsTestedWithAnExample(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.deliver()
	id := s.webhook(adminKey, "other")
	s.admin(http.StatusCreated, "PUT", "/api/event-types/order.created", `{"example":{"id":7}}`)
	s.admin(http.StatusCreated, "PUT", "/api/event-types/bare", `{}`)
	result := s.admin(http.StatusOK, "POST", "/api/webhooks/"+id+"/test", `{"event_type":"order.created"}`).object()
	require.Equal(t, true, result["success"])
	delivery := s.admin(http.StatusOK, "GET", "/api/deliveries/"+text(t, result, "delivery_id"), "").object()
	require.Equal(t, "order.created", delivery["event"])
	event := s.admin(http.StatusOK, "GET", "/api/events/"+text(t, delivery, "event_id"), "").object()
	require.Equal(t, map[string]any{"id": 7.0}, event["data"])
	for eventType, says := range map[string]string{"bare": "has no example", "none": "no such event type"} {
		problem := s.call(adminKey, "POST", "/api/webhooks/"+id+"/test", `{"event_type":"`+eventType+`"}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "body.event_type", problem.Errors[0].Location)
		require.Contains(t, problem.Errors[0].Message, says)
	}
	s.admin(http.StatusOK, "POST", "/api/webhooks/"+id+"/test", "")
}
