package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

func TestEventFromPublishingToItsDeliveries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		webhookID := s.webhook(adminKey, "order.*")
		published := s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","data":{"a":1}}`).object()
		require.Equal(t, []string{"deliveries", "duplicate", "event", "id"}, members(published))
		id := text(t, published, "id")
		require.NoError(t, typeid.Check(typeid.KindEvent, id))
		require.Equal(t, map[string]any{"id": id, "event": "order.created", "deliveries": 1.0, "duplicate": false}, published)

		items, _ := s.admin(http.StatusOK, "GET", "/api/events", "").list()
		require.Len(t, items, 1)
		require.Equal(t, []string{"created_at", "deliver_at", "delivery_count", "erased_at", "event", "id", "metadata", "occurred_at", "owner_id"}, members(items[0]))
		require.EqualValues(t, 1, items[0]["delivery_count"])
		require.Equal(t, models.DefaultOwnerID, items[0]["owner_id"])

		event := s.admin(http.StatusOK, "GET", "/api/events/"+id, "").object()
		require.Equal(t, []string{"created_at", "data", "deliver_at", "deliveries", "delivery_count", "erased_at", "event", "id", "metadata", "occurred_at", "owner_id"}, members(event))
		require.Equal(t, map[string]any{"a": 1.0}, event["data"])
		deliveries, ok := event["deliveries"].([]any)
		require.True(t, ok)
		require.Len(t, deliveries, 1)
		delivery, ok := deliveries[0].(map[string]any)
		require.True(t, ok)
		require.Equal(t, webhookID, delivery["webhook_id"])
		require.Equal(t, id, delivery["event_id"])
	})
}

// Receivers get the publisher's bytes: what a program reads and writes again would change them.
func TestPublishedDataIsNotTouched(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, data := range []string{
		`{"b":1.0,"a":1e3,"c":-0,"d":12345678901234567890.123,"e":0.1000}`,
		`{ "spaced" : [ 1 ,2 ] }`,
		`"\u00fc\u0000<b>&\u2028\/"`,
		`{"a":1,"a":2}`,
		`null`, `true`, `[]`, `1`, `""`,
	} {
		reply := s.admin(http.StatusAccepted, "POST", "/api/events", `{"data": `+data+` ,"event":"a"}`)
		event, err := s.store.Event(t.Context(), models.Scope{}, text(t, reply.object(), "id"))
		require.NoError(t, err)
		require.Equal(t, data, string(event.Data))
		shown := s.admin(http.StatusOK, "GET", "/api/events/"+event.ID, "")
		if data != `{ "spaced" : [ 1 ,2 ] }` {
			require.Contains(t, shown.body, `"data":`+data+`,`)
		} else {
			require.Contains(t, shown.body, `"data":{"spaced":[1,2]},`)
		}
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	s := newService(t)
	publish := func(key, body string) reply {
		return s.call(adminKey, "POST", "/api/events", body, "Idempotency-Key", key)
	}
	first := publish("k1", `{"event":"a","data":{"n":1}}`).is(http.StatusAccepted).object()
	require.Equal(t, false, first["duplicate"])
	again := publish("k1", `{"event":"a","data":{"n":1}}`).is(http.StatusAccepted).object()
	require.Equal(t, true, again["duplicate"])
	again["duplicate"] = false
	require.Equal(t, first, again)
	for _, other := range []string{`{"event":"a","data":{"n":2}}`, `{"event":"b","data":{"n":1}}`} {
		publish("k1", other).problem(http.StatusConflict, "idempotency_conflict")
	}
	for _, bad := range []string{strings.Repeat("k", 256), "two words", "tab\there", "ü"} {
		problem := publish(bad, `{"event":"a","data":1}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "header.Idempotency-Key", problem.Errors[0].Location, bad)
	}
}

func TestIdempotencyKeyUsedAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		s.webhook(adminKey, "*")
		replies := make([]reply, 10)
		var all sync.WaitGroup
		for i := range replies {
			all.Go(func() {
				replies[i] = s.call(adminKey, "POST", "/api/events", `{"event":"a","data":1}`, "Idempotency-Key", "k")
			})
		}
		all.Wait()
		fresh, ids := 0, map[any]bool{}
		for _, reply := range replies {
			published := reply.is(http.StatusAccepted).object()
			ids[published["id"]] = true
			if published["duplicate"] == false {
				fresh++
			}
			require.EqualValues(t, 1, published["deliveries"])
		}
		require.Equal(t, 1, fresh)
		require.Len(t, ids, 1)
		items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries", "").list()
		require.Len(t, items, 1)
	})
}

func TestIdempotencyKeysAreAnOwnersOwn(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, a := s.owner("a")
	_, b := s.owner("b")
	ids := map[any]bool{}
	for _, key := range []string{a, b, adminKey} {
		published := s.call(key, "POST", "/api/events", `{"event":"a","data":1}`, "Idempotency-Key", "k").
			is(http.StatusAccepted).object()
		require.Equal(t, false, published["duplicate"])
		ids[published["id"]] = true
	}
	require.Len(t, ids, 3)
}

func TestWhoseWebhooksGetAnEvent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	aID, a := s.owner("a")
	_, b := s.owner("b")
	aHook, bHook, defaultHook := s.webhook(a, "*"), s.webhook(b, "*"), s.webhook(adminKey, "*")
	for name, test := range map[string]struct {
		key, owner string
		want       []string
	}{
		"an owner":                        {a, "", []string{aHook}},
		"an owner, by name":               {a, `,"owner_id":"` + aID + `"`, []string{aHook}},
		"the administrator":               {adminKey, "", []string{defaultHook}},
		"the administrator, to all":       {adminKey, `,"broadcast":true`, []string{aHook, bHook, defaultHook}},
		"an owner, not to all":            {a, `,"broadcast":false`, []string{aHook}},
		"the administrator, for an owner": {adminKey, `,"owner_id":"` + aID + `"`, []string{aHook}},
	} {
		published := s.call(test.key, "POST", "/api/events", `{"event":"x","data":1`+test.owner+`}`).is(http.StatusAccepted).object()
		items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries?event_id="+text(t, published, "id"), "").list()
		var got []string
		for _, item := range items {
			got = append(got, text(t, item, "webhook_id"))
		}
		require.ElementsMatch(t, test.want, got, name)
	}
}

func TestEventsAreListed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, key := s.owner("a")
	var ids []string
	for _, published := range []struct{ key, event string }{{adminKey, "a"}, {key, "b"}, {key, "a.b"}} {
		made := s.call(published.key, "POST", "/api/events", `{"event":"`+published.event+`","data":1}`).is(http.StatusAccepted).object()
		ids = append(ids, text(t, made, "id"))
	}
	for query, want := range map[string][]string{
		"":                                   {ids[2], ids[1], ids[0]},
		"?event=b":                           {ids[1]},
		"?event=a":                           {ids[0]},
		"?owner_id=" + ownerID:               {ids[2], ids[1]},
		"?limit=1":                           {ids[2]},
		"?since=2020-01-01T00:00:00Z":        {ids[2], ids[1], ids[0]},
		"?until=2020-01-01T00:00:00%2B02:00": nil,
	} {
		items, next := s.admin(http.StatusOK, "GET", "/api/events"+query, "").list()
		require.Equal(t, want, idsOf(t, items), query)
		require.Equal(t, query == "?limit=1", next != "", query)
	}
	var paged []string
	for query := "?limit=1"; ; {
		items, next := s.admin(http.StatusOK, "GET", "/api/events"+query, "").list()
		paged = append(paged, idsOf(t, items)...)
		if next == "" {
			break
		}
		query = "?limit=1&cursor=" + next
	}
	require.Equal(t, []string{ids[2], ids[1], ids[0]}, paged)
	items, _ := s.call(key, "GET", "/api/events", "").is(http.StatusOK).list()
	require.Equal(t, []string{ids[2], ids[1]}, idsOf(t, items))
}

// A body of exactly the bound is fine: only what is over it is not. Its length need not be known beforehand.
func TestLargestBody(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const frame = `{"event":"a","data":""}`
	body := func(size int) string {
		text := make([]byte, size-len(frame))
		for i := range text {
			text[i] = 'x'
		}
		return `{"event":"a","data":"` + string(text) + `"}`
	}
	s.admin(http.StatusAccepted, "POST", "/api/events", body(1<<20))
	s.call(adminKey, "POST", "/api/events", body(1<<20+1)).problem(http.StatusRequestEntityTooLarge, "body_too_large")
}

func idsOf(t *testing.T, items []map[string]any) []string {
	t.Helper()
	var ids []string
	for _, item := range items {
		ids = append(ids, text(t, item, "id"))
	}
	return ids
}
