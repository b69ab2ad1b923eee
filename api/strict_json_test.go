package api_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
)

// Names match by case, and no member is there twice: what is accepted is what was meant.
func TestMembersAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.webhook(adminKey, "a")
	source := text(t, s.admin(http.StatusCreated, "POST", "/api/sources", bodies["create-source"]).object(), "id")
	const hook = `"url":"https://example.com","events":["a"]`
	for _, test := range []struct{ method, path, body, location, says string }{
		{"POST", "/api/events", `{"event":"a","data":1,"Data":2}`, "body.Data", "unexpected property"},
		{"POST", "/api/events", `{"event":"a","data":1,"data":2}`, "body.data", "is there twice"},
		{"POST", "/api/events", `{"event":"a","data":1,"d\u0061ta":2}`, "body.data", "is there twice"},
		{"POST", "/api/events", `{"event":"a","event":"a","data":1}`, "body.event", "is there twice"},
		{"POST", "/api/events", ` { "data" : {"a":[1,"}"]} , "event":"a", "data" :1}`, "body.data", "is there twice"},
		{"PATCH", "/api/webhooks/" + id, `{"Active":false}`, "body.Active", "unexpected property"},
		{"PATCH", "/api/webhooks/" + id, `{"active":true,"ACTIVE":false}`, "body.ACTIVE", "unexpected property"},
		{"PATCH", "/api/webhooks/" + id, `{"active":true,"active":false}`, "body.active", "is there twice"},
		{"PATCH", "/api/webhooks/" + id, `{"headers":{"X-A":"1","X-A":"2"}}`, "body.headers.X-A", "is there twice"},
		{"POST", "/api/webhooks", `{` + hook + `,"headers":{"X-A":"1","X-B":"1","X-A":"2"}}`, "body.headers.X-A", "is there twice"},
		{"POST", "/api/webhooks", `{` + hook + `,"rate_limit":1,"rate_limit":2}`, "body.rate_limit", "is there twice"},
		{"POST", "/api/webhooks", `{` + hook + `,"rate_limit":1e999}`, "body.rate_limit", "expected a"},
		{"PATCH", "/api/webhooks/" + id, `{"rate_limit":1e999}`, "body.rate_limit", "expected a"},
		{"POST", "/api/webhooks/" + id + "/recover", `{"since":"2020-01-01T00:00:00Z","rate":1e999}`, "body.rate", "expected number <= 1000"},
		{"POST", "/api/webhooks/" + id + "/recover", `{"since":"2020-01-01T00:00:00Z","rate":1e1}`, "body.rate", "expected a whole number, written in digits"},
		{"POST", "/api/webhooks/" + id + "/recover", `{"since":"2020-01-01T00:00:00,5Z"}`, "body.since", "expected a time in RFC 3339"},
		{"POST", "/api/webhooks/" + id + "/recover", `{"since":5}`, "body.since", "expected string"},
		{"PATCH", "/api/sources/" + source, `{"name":"x","name":"y"}`, "body.name", "is there twice"},
		{"PATCH", "/api/sources/" + source, `{"name":"x\ud83d"}`, "body.name", `half of a \u pair`},
		{"PATCH", "/api/webhooks/" + id, `{"headers":{"X-A":"1","X-B":"\uDE00 x"}}`, "body.headers.X-B", `half of a \u pair`},
		{"POST", "/api/webhooks", `{` + hook + `,"description":"\ude00\ud83d"}`, "body.description", `half of a \u pair`},
	} {
		got := s.call(adminKey, test.method, test.path, test.body).problem(http.StatusUnprocessableEntity, "invalid")
		require.Len(t, got.Errors, 1, test.body)
		require.Equal(t, test.location, got.Errors[0].Location, test.body)
		require.Contains(t, got.Errors[0].Message, test.says, test.body)
		requireNoGo(t, got.Detail)
	}
	s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"description":"\ud83d\ude00 \\ud83d \ufffd","headers":{"X-A":"\uD83D\uDE00"}}`)
	got := s.call(adminKey, "POST", "/api/events", `{"Event":"a","data":1}`).problem(http.StatusUnprocessableEntity, "invalid")
	require.Contains(t, got.Detail, "event to be present")
	require.Contains(t, got.Detail, "body.Event: unexpected property")
	for body, says := range map[string]string{
		"\xef\xbb\xbf{}": "byte order mark", `{"event":"\xff"}`: "at byte 12", "{\"event\":\"\xff\",\"data\":1}": "UTF-8", `{} {}`: "at byte 4", `{"a":`: "at byte 5",
	} {
		got := s.call(adminKey, "POST", "/api/events", body).problem(http.StatusBadRequest, "malformed_json")
		require.Contains(t, got.Detail, says, body)
		requireNoGo(t, got.Detail)
	}
}

// requireNoGo looks for words of the language that Postrider is written in.
func requireNoGo(t *testing.T, message string) {
	t.Helper()
	for _, word := range []string{"unmarshal", "struct", "json:", "float64", "int64", "Go ", "2006", "strconv", "parsing", "api."} {
		require.NotContains(t, message, word)
	}
}

// Data has no rules but JSON's: numbers of any size, members that differ in case or are there twice; all as they came.
func TestDataIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		for _, data := range []string{
			`{"n":1e309}`, `-1E+999`, `[1e-999,123456789012345678901234567890.10]`, `{"a":1,"A":2,"a":3}`, `1.0`, `"\ud800"`, `{"":{"":0e0}}`,
		} {
			made := s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":`+data+`}`).object()
			shown := s.admin(http.StatusOK, "GET", "/api/events/"+text(t, made, "id"), "")
			require.Contains(t, shown.body, `"data":`+data+`,`)
		}
	})
}

// An empty value may mean none, or may be what a program forgot to fill in: it is refused in every parameter and text of
// the document, but for those that are empty for good reason.
func TestEmptyIsRefused(t *testing.T) {
	t.Parallel()
	document := readDocument(t)
	mayBeEmpty := []string{
		"create-webhook description", "update-webhook description", "update-owner email", "update-owner slack_url",
		"create-source prefix", "update-source prefix",
	}
	for _, of := range document.operations() {
		t.Run(of.OperationID, func(t *testing.T) {
			t.Parallel()
			of := newTemplate(t, document, of)
			s := newService(t)
			s.deliver()
			holder := s.newTenant("a")
			path := of.Path
			for _, place := range of.names {
				if place.in == "path" {
					path = strings.Replace(path, "{"+place.name+"}", holder.ids[place.kind], 1)
				}
			}
			s.settle()
			before := s.state()
			refused := func(location string, reply reply) {
				t.Helper()
				got := reply.problem(http.StatusUnprocessableEntity, "invalid")
				require.Equal(t, location, got.Errors[0].Location)
			}
			for _, parameter := range of.Parameters {
				switch parameter.In {
				case "query":
					refused("query."+parameter.Name, s.call(adminKey, of.Method, path+"?"+parameter.Name+"=", of.body))
					refused("query."+parameter.Name, s.call(adminKey, of.Method, path+"?"+parameter.Name, of.body))
					refused("query."+parameter.Name, s.call(adminKey, of.Method, path+"?"+parameter.Name+"=+", of.body))
					refused("query."+parameter.Name, s.call(adminKey, of.Method, path+"?"+parameter.Name+"=5&"+parameter.Name+"=5", of.body))
				case "header":
					refused("header."+parameter.Name, s.call(adminKey, of.Method, path, of.body, parameter.Name, ""))
				}
			}
			refused("query", s.call(adminKey, of.Method, path+"?%zz", of.body))
			fields := document.fields(of.operation)
			for _, field := range slices.Sorted(maps.Keys(fields)) {
				schema := document.resolve(fields[field])
				if !schema.is("string") && len(schema.OneOf) == 0 || slices.Contains(mayBeEmpty, of.OperationID+" "+field) {
					continue
				}
				body := of.body
				if i := strings.Index(body, `"`+field+`":`); i >= 0 {
					body = strings.Replace(body, `"`+field+`":`, `"`+field+`":"","x":`, 1)
				} else {
					body = strings.TrimSuffix(body, "}") + `,"` + field + `":""}`
				}
				reply := s.call(adminKey, of.Method, path, body)
				got := reply.problem(http.StatusUnprocessableEntity, "invalid")
				require.Contains(t, got.Detail, "body."+field+": ", reply.body)
			}
			require.Empty(t, difference(before, s.state()), "nothing changes")
		})
	}
}

// Times in a query are understood with a + that should have been encoded, and a wrong one is told by an example.
func TestTimesInQueries(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":1}`)
	for query, found := range map[string]int{
		"since=2020-01-01T00:00:00+02:00":           1,
		"since=2020-01-01T00:00:00.5%2B02:00":       1,
		"since=2020-01-01T00%3A00%3A00+02%3A00":     1,
		"until=2020-01-01T00:00:00+02:00":           0,
		"until=0001-01-01T00:00:00Z":                0,
		"since=0001-01-01T00:00:00Z":                1,
		"since=9999-12-31T23:59:59.999999999Z":      0,
		"until=9999-12-31T23:59:59.999999999-12:00": 1,
		"since=0000-01-01T00:00:00%2B14:00":         1,
	} {
		for _, list := range []string{"events", "inbound-events", "deliveries", "audit"} {
			items, _ := s.admin(http.StatusOK, "GET", "/api/"+list+"?"+query, "").list()
			if list == "events" {
				require.Len(t, items, found, query)
			}
		}
	}
	for _, wrong := range []string{
		"yesterday", "2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00", "1577836800", "2020-13-01T00:00:00Z", "2020-01-01T0:00:00Z",
		"2020-01-01T00:00:00,5Z", "2020-01-01T00:00:00Z+02:00", "2020-01-01T00:00:00+99:00",
	} {
		got := s.call(adminKey, "GET", "/api/events?since="+url.QueryEscape(wrong), "").problem(http.StatusUnprocessableEntity, "invalid")
		require.Contains(t, got.Detail, "such as 2026-11-28T09:30:00Z", wrong)
		requireNoGo(t, got.Detail)
	}
}

// Durations are days, units of a clock, or numbers of seconds, and the bounds are in the message.
func TestDurationsInBodies(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ownerID, _ := s.owner("a")
	id := s.webhook(adminKey, "a")
	rotate, keys := "/api/webhooks/"+id+"/rotate-secret", "/api/owners/"+ownerID+"/keys"
	for _, grace := range []string{`"30d"`, `"1d12h"`, `"0s"`, `3600`, `0`, `1.5`, `1e3`, `null`} {
		fresh := "/api/webhooks/" + s.webhook(adminKey, "a") + "/rotate-secret" // only so many earlier secrets sign at once
		s.admin(http.StatusOK, "POST", fresh, `{"grace":`+grace+`}`)
	}
	for _, grace := range []string{`"31d"`, `"-1s"`, `"soon"`, `"2562047h47m16.85s"`, `"2562048h"`, `1e999`, `-1`, `"1w"`} {
		got := s.call(adminKey, "POST", rotate, `{"grace":`+grace+`}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Contains(t, got.Detail, "body.grace: expected a duration from 0s to 720h", grace)
	}
	for _, grace := range []string{`""`, `true`, `[]`, `{}`} {
		got := s.call(adminKey, "POST", rotate, `{"grace":`+grace+`}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Contains(t, got.Detail, "body.grace: expected a duration such as", grace)
	}
	s.admin(http.StatusCreated, "POST", keys, `{"expires_in":"30d"}`)
	s.admin(http.StatusCreated, "POST", keys, `{"expires_in":60}`)
	for _, life := range []string{`"11000d"`, `"2562047h47m16.85s"`, `"0s"`, `1e999`} {
		got := s.call(adminKey, "POST", keys, `{"expires_in":`+life+`}`).problem(http.StatusUnprocessableEntity, "invalid")
		require.Contains(t, got.Detail, "body.expires_in: expected a duration from", life)
	}
	webhook := s.admin(http.StatusOK, "PATCH", "/api/webhooks/"+id, `{"retry_schedule":["1m",90,"2d"]}`).object()
	require.Equal(t, []any{"1m", "1m30s", "48h"}, webhook["retry_schedule"])
}
