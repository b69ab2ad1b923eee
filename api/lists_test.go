package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// Lists carry no data and no bodies unless they are asked to, and then stop at 4 MiB: the rest is on the next page.
func TestListsCarryPayloadsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const mark = "payload-of-a-megabyte"
	payload := `"` + mark + strings.Repeat("x", 1<<20-100) + `"`
	const published = 6
	for range published {
		s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"a","data":`+payload+`}`)
	}
	source := models.Source{OwnerID: models.DefaultOwnerID, Name: "x", Scheme: "github"}
	require.NoError(t, s.store.CreateSource(t.Context(), &source, []string{sourceSecret}))
	for i := range published {
		inbound := models.InboundEvent{SourceID: source.ID, OwnerID: source.OwnerID, ProviderID: fmt.Sprint(i), Body: []byte(payload)}
		_, err := s.store.StoreInbound(t.Context(), &inbound)
		require.NoError(t, err)
	}
	for path, include := range map[string]string{"/api/events": "data", "/api/inbound-events": "body"} {
		bare := s.admin(http.StatusOK, "GET", path+"?limit=250", "")
		require.NotContains(t, bare.body, mark, path)
		items, next := bare.list()
		require.Len(t, items, published, path)
		require.Empty(t, next)

		all := 0
		for query := "?limit=250&include=" + include; ; {
			page := s.admin(http.StatusOK, "GET", path+query, "")
			require.LessOrEqual(t, len(page.body), models.MaxPageBytes+16<<10, path)
			items, next := page.list()
			for _, item := range items {
				require.Contains(t, item[include], mark, path)
			}
			if all += len(items); next == "" {
				break
			}
			query = "?limit=250&include=" + include + "&cursor=" + next
		}
		require.Equal(t, published, all, path)
		s.call(adminKey, "GET", path+"?include=secrets", "").problem(http.StatusUnprocessableEntity, "invalid")
	}
}

func TestListsInEitherOrder(t *testing.T) {
	t.Parallel()
	s := newService(t)
	var made []string
	for range 3 {
		made = append(made, s.webhook(adminKey, "a"))
	}
	first, next := s.admin(http.StatusOK, "GET", "/api/webhooks?order=asc&limit=2", "").list()
	rest, end := s.admin(http.StatusOK, "GET", "/api/webhooks?order=asc&limit=2&cursor="+next, "").list()
	require.Empty(t, end)
	require.Equal(t, made, idsOf(t, append(first, rest...)))
	s.call(adminKey, "GET", "/api/webhooks?order=up", "").problem(http.StatusUnprocessableEntity, "invalid")
}

// Every list leads to the page before, and is empty for an ID that nothing has.
func TestListsLeadBack(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for range 5 {
		s.webhook(adminKey, "a")
	}
	first := s.admin(http.StatusOK, "GET", "/api/webhooks?limit=2", "").object()
	require.Nil(t, first["prev_cursor"])
	second := s.admin(http.StatusOK, "GET", "/api/webhooks?limit=2&cursor="+text(t, first, "next_cursor"), "").object()
	again := s.admin(http.StatusOK, "GET", "/api/webhooks?limit=2&cursor="+text(t, second, "prev_cursor"), "").object()
	require.Equal(t, first, again)
}

func TestFiltersTakeSeveralValues(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mine, key := s.owner("mine")
	theirs, theirKey := s.owner("theirs")
	a, b, other := s.webhook(key, "a"), s.webhook(key, "b"), s.webhook(theirKey, "*")
	for _, kind := range []string{"a", "b", "c"} {
		s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"`+kind+`","data":{},"broadcast":true}`)
	}
	for query, want := range map[string]int{
		"webhook_id=" + a + "," + b:                            2,
		"webhook_id=" + a + "," + other:                        4,
		"event=a,b":                                            4,
		"event=a,b&status=pending,failed":                      4,
		"event=a,b&status=failed,cancelled":                    0,
		"event=a,b&owner_id=" + mine:                           2,
		"event=a,b&owner_id=" + mine + "," + theirs:            4,
		"event=a,a&owner_id=" + mine + "," + mine + "&limit=1": 1,
	} {
		items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries?"+query, "").list()
		require.Len(t, items, want, query)
	}
	items, _ := s.call(key, "GET", "/api/deliveries?webhook_id="+a+","+other+"&owner_id="+mine+","+theirs, "").is(http.StatusOK).list()
	require.Len(t, items, 1, "what is another's is as if it was not there")
	for _, query := range []string{"event=a,,b", "event=,a", "event=a,", "status=pending,", "webhook_id=" + a + ",x", "status=pending,done", "owner_id=own_1",
		"event=" + strings.Repeat("a,", 20) + "a", "event=a&event=b"} {
		s.call(key, "GET", "/api/deliveries?"+query, "").problem(http.StatusUnprocessableEntity, "invalid")
	}
}

// A delivery shows its newest 20 attempts; all others are in a list of their own.
func TestADeliveryShowsItsNewestAttempts(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.webhook(adminKey, "a")
	_, id := s.delivery(adminKey, "a")
	const made = 25
	for number := range made {
		s.attempt(id, models.StatusFailed, func(a *models.Attempt) { a.Number, a.ResponseBody = number+1, []byte("no") })
	}
	detail := s.admin(http.StatusOK, "GET", "/api/deliveries/"+id, "").object()
	attempts, ok := detail["attempts"].([]any)
	require.True(t, ok)
	require.Len(t, attempts, 20)
	for i, attempt := range attempts {
		require.EqualValues(t, made-20+i+1, attempt.(map[string]any)["number"])
		require.Equal(t, "no", attempt.(map[string]any)["response_body"])
	}
	require.EqualValues(t, made, detail["attempt_count"])

	var numbers []any
	for query := "?limit=10"; ; {
		items, next := s.admin(http.StatusOK, "GET", "/api/deliveries/"+id+"/attempts"+query, "").list()
		for _, item := range items {
			numbers = append(numbers, item["number"])
			require.Nil(t, item["response_body"])
		}
		if next == "" {
			break
		}
		query = "?limit=10&cursor=" + next
	}
	require.Len(t, numbers, made)
	require.EqualValues(t, made, numbers[0])
	require.EqualValues(t, 1, numbers[made-1])
	items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries/"+id+"/attempts?order=asc&limit=1&include=response_body", "").list()
	require.EqualValues(t, 1, items[0]["number"])
	require.Equal(t, "no", items[0]["response_body"])
}

// What a request says is repeated in its answer, and never more than that: 1 MiB does not become several.
func TestProblemsAreShort(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const size = 1<<20 - 1000
	long := strings.Repeat("x", size)
	var many, escaped strings.Builder
	for i := range size / 20 {
		fmt.Fprintf(&many, `"member%d":1,`, i)
		fmt.Fprint(&escaped, `\u0001`)
	}
	patterns := strings.TrimSuffix(strings.Repeat(`"a b",`, size/6), ",")
	for name, body := range map[string]string{
		"a long name":     `{"` + long + `":1}`,
		"a long value":    `{"url":"` + long[:size/2] + `","events":["` + long[:size/2] + `"]}`,
		"many names":      `{` + many.String() + `"x":1}`,
		"escapes":         `{"` + escaped.String() + `":1}`,
		"a long wait":     `{"url":"https://example.com","events":["a"],"retry_schedule":["` + long + `"]}`,
		"many waits":      `{"url":"https://example.com","events":["a"],"retry_schedule":[` + patterns + `]}`,
		"many patterns":   `{"url":"https://example.com","events":[` + patterns + `]}`,
		"a long header":   `{"url":"https://example.com","events":["a"],"headers":{"` + long + `":"\n"}}`,
		"many headers":    `{"url":"https://example.com","events":["a"],"headers":{` + many.String() + `"x":1}}`,
		"not JSON":        long,
		"a long string":   `"` + long + `"`,
		"a list":          `[` + patterns + `]`,
		"a long owner ID": `{"url":"https://example.com","events":["a"],"owner_id":"` + long + `"}`,
	} {
		reply := s.call(adminKey, "POST", "/api/webhooks", body)
		require.Contains(t, []int{400, 422}, reply.status, name)
		require.Less(t, len(reply.body), 32<<10, name)
	}
	for _, path := range []string{"/api/webhooks/" + long[:20_000], "/api/" + long[:20_000], "/api/webhooks?" + long[:20_000] + "=1", "/api/webhooks?cursor=" + long[:20_000]} {
		require.Less(t, len(s.call(adminKey, "GET", path, "").body), 8<<10, path[:20])
	}
	require.Less(t, len(s.call(adminKey, "GET", "/api/webhooks?"+strings.Repeat("a"+url.QueryEscape("\x01")+"&", 4000), "").body), 32<<10)
}
