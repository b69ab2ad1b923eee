package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// results are those of a batch.
func (r reply) results() []map[string]any {
	items, _ := r.is(http.StatusAccepted).list()
	return items
}

// Each event of a batch has its own result, in its place: what is wrong with one does not keep the others from being published.
func TestBatch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		hook := s.webhook(adminKey, "order.*")
		const unknown = "own_01m85g2jgxf7rap03pf3d6aq99"
		s.call(adminKey, "POST", "/api/events", `{"event":"order.paid","data":"before"}`, "Idempotency-Key", "before").is(http.StatusAccepted)
		results := s.admin(http.StatusAccepted, "POST", "/api/events/batch", `{"events":[
			{"event":"order.created","data":{"n": 1.0}},
			{"event":"nobody.wants","data":null,"idempotency_key":"k"},
			{"event":"nobody.wants","data":null,"idempotency_key":"k"},
			{"event":"nobody.wants","data":2,"idempotency_key":"k"},
			{"event":"order.paid","data":"before","idempotency_key":"before"},
			{"event":"order.paid","data":"other","idempotency_key":"before"},
			{"event":"a b","data":1},
			{"data":1},
			{"event":"a","data":1,"Data":2},
			{"event":"a","event":"b","data":1},
			{"event":"","data":1},
			{"event":"a","data":1,"owner_id":"`+unknown+`"},
			{"event":"a","data":1,"idempotency_key":"two words"},
			{"event":"a","data":1,"occurred_at":"now"},
			{"event":"a","data":1,"metadata":{"a":"\ud800"}},
			null, [], 7,
			{"event":"order.shipped","data":[],"webhook_ids":["`+hook+`"],"metadata":{"a":"b"}},
			{"event":"order.broadcast","data":1,"broadcast":true}
		]}`).results()
		require.Len(t, results, 20)
		published := func(i, deliveries int, duplicate bool) string {
			require.Equal(t, []string{"deliveries", "duplicate", "id"}, members(results[i]), "%d: %v", i, results[i])
			require.EqualValues(t, deliveries, results[i]["deliveries"], i)
			require.Equal(t, duplicate, results[i]["duplicate"], i)
			return text(t, results[i], "id")
		}
		wrong := func(i, status int, code, location string) {
			require.Equal(t, []string{"error"}, members(results[i]), "%d: %v", i, results[i])
			problem, ok := results[i]["error"].(map[string]any)
			require.True(t, ok)
			require.EqualValues(t, status, problem["status"], i)
			require.Equal(t, code, problem["code"], i)
			if location != "" {
				require.Equal(t, location, problem["errors"].([]any)[0].(map[string]any)["location"], i)
			}
		}
		first := published(0, 1, false)
		event, err := s.store.Event(t.Context(), models.Scope{}, first)
		require.NoError(t, err)
		require.Equal(t, `{"n": 1.0}`, string(event.Data))
		require.Equal(t, published(1, 0, false), published(2, 0, true))
		wrong(3, http.StatusConflict, "idempotency_conflict", "")
		published(4, 1, true)
		wrong(5, http.StatusConflict, "idempotency_conflict", "")
		for i, location := range map[int]string{
			6: "body.events[6].event", 7: "body.events[7]", 8: "body.events[8].Data", 9: "body.events[9].event", 10: "body.events[10].event",
			11: "body.events[11].owner_id", 12: "body.events[12].idempotency_key", 13: "body.events[13].occurred_at",
			14: "body.events[14].metadata.a", 15: "body.events[15]", 16: "body.events[16]", 17: "body.events[17]",
		} {
			wrong(i, http.StatusUnprocessableEntity, "invalid", location)
		}
		published(18, 1, false)
		published(19, 1, false)
		items, _ := s.admin(http.StatusOK, "GET", "/api/events?order=asc", "").list()
		var types []any
		for _, item := range items {
			types = append(types, item["event"])
		}
		require.Equal(t, []any{"order.paid", "order.created", "nobody.wants", "order.shipped", "order.broadcast"}, types, "in their order")
		s.settle()
	})
}

func TestBatchThatIsNone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	event := `{"event":"a","data":1}`
	for body, want := range map[string]string{
		`[]`: "body", `null`: "body", `"x"`: "body", `{}`: "body", `{"events":null}`: "body.events", `{"events":{}}`: "body.events",
		`{"events":[]}`: "body.events", `{"Events":[` + event + `]}`: "body.Events", `{"events":[` + event + `],"x":1}`: "body.x",
		`{"events":[` + event + `],"events":[` + event + `]}`:          "body.events",
		`{"events":[` + strings.Repeat(event+",", 1000) + event + `]}`: "body.events",
	} {
		problem := s.call(adminKey, "POST", "/api/events/batch", body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, want, problem.Errors[0].Location, body)
	}
	for _, body := range []string{`{`, `{"events":[}`, "\ufeff{}", "{\"events\":[\"\xff\"]}", ``} {
		s.call(adminKey, "POST", "/api/events/batch", body).is(http.StatusBadRequest)
	}
	const most = 4 << 20
	large := `{"events":[{"event":"a","data":"` + strings.Repeat("x", 1<<20) + `"}]}`
	require.Equal(t, []string{"deliveries", "duplicate", "id"}, members(s.call(adminKey, "POST", "/api/events/batch", large).results()[0]))
	fits := large + strings.Repeat(" ", most-len(large))
	s.call(adminKey, "POST", "/api/events/batch", fits).is(http.StatusAccepted)
	problem := s.call(adminKey, "POST", "/api/events/batch", fits+" ").problem(http.StatusRequestEntityTooLarge, "body_too_large")
	require.Contains(t, problem.Detail, fmt.Sprint(most))
}

// What is more than an owner may publish is refused for each event.
func TestQuotasOfABatch(t *testing.T) {
	t.Parallel()
	s := newService(t, func(cfg *config) { cfg.Service.Quotas = service.Quotas{EventsPerSecond: 1, StoredBytes: 100} })
	_, key := s.owner("a")
	results := s.call(key, "POST", "/api/events/batch",
		`{"events":[{"event":"a","data":"`+strings.Repeat("x", 200)+`"},{"event":"a","data":1},{"event":"a","data":1}]}`).results()
	for i, want := range []string{"quota_exceeded", "", "quota_exceeded"} {
		if want == "" {
			require.NotContains(t, results[i], "error")
			continue
		}
		require.Equal(t, want, results[i]["error"].(map[string]any)["code"], i)
	}
	require.EqualValues(t, http.StatusConflict, results[0]["error"].(map[string]any)["status"])
	require.EqualValues(t, http.StatusTooManyRequests, results[2]["error"].(map[string]any)["status"])
}
