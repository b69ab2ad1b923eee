package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Who searches finds what is theirs, by every name that it has; what is erased is not found any more.
func TestSearchOfDeliveries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		mine, key := s.owner("mine")
		theirs, theirKey := s.owner("theirs")
		webhookID := s.webhook(key, "*")
		s.webhook(theirKey, "*")
		for _, owner := range []string{mine, theirs} {
			s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.created","owner_id":"`+owner+`","data":{},"metadata":{"customer":"customer-42"}}`)
			s.admin(http.StatusAccepted, "POST", "/api/events", `{"event":"order.paid","owner_id":"`+owner+`","data":{}}`)
		}
		search := func(key, text string) []map[string]any {
			items, _ := s.call(key, "GET", "/api/deliveries?search="+url.QueryEscape(text), "").is(http.StatusOK).list()
			return items
		}
		for text, want := range map[string]int{
			"customer-42": 1, "42": 1, "order.": 2, "order.paid": 1, webhookID: 2, webhookID[:18]: 2, mine: 2, "mine": 0, "order.paid 42": 0,
		} {
			require.Len(t, search(key, text), want, text)
		}
		require.Len(t, search(adminKey, "42"), 2)
		require.Empty(t, search(theirKey, webhookID))
		require.Empty(t, search(theirKey, mine))

		found := search(key, "42")[0]
		require.Equal(t, []string{text(t, found, "id")}, idsOf(t, search(key, text(t, found, "event_id"))))
		s.attempt(text(t, found, "id"), models.StatusFailed, func(a *models.Attempt) { a.Error = "certificate has expired" })
		require.Len(t, search(key, "expired 42"), 1)
		require.Empty(t, search(theirKey, "expired"))
		s.call(key, "DELETE", "/api/events/"+text(t, found, "event_id")+"/data", "").is(http.StatusNoContent)
		require.Empty(t, search(key, "42"))
		require.Len(t, search(key, "expired"), 1)
	})
}

// A search that cannot find anything says why; whatever else is written is looked for as it is.
func TestTextsOfSearches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		for query, want := range map[string]string{
			"": "must not be empty", "%20": "must not be empty", "%25_%5C": "expected an ID, an event type, or words", "'\"": "expected an ID, an event type, or words",
			"a%00": "without NUL", "a%FF": "UTF-8", strings.Repeat("a", 256): "expected length <= 255",
			"dlv_01": "at least the first 10 characters behind dlv_", "a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u": "at most 20 different words",
		} {
			problem := s.call(adminKey, "GET", "/api/deliveries?search="+query, "").problem(http.StatusUnprocessableEntity, "invalid")
			require.Len(t, problem.Errors, 1, query)
			require.Equal(t, "query.search", problem.Errors[0].Location, query)
			require.Contains(t, problem.Errors[0].Message, want, query)
		}
		for _, text := range []string{"50%", "a_b", `a\b`, "a' OR '1'='1", "a & !b | c:* <-> (d", "a,b", "Ärger", "日本", "wh_none", "att_01km5g8vwe", "x\u2028y", "\u202e x"} {
			items, _ := s.admin(http.StatusOK, "GET", "/api/deliveries?search="+url.QueryEscape(text), "").list()
			require.Empty(t, items, text)
		}
	})
}
