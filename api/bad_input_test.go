package api_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// problem is the body of an error.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

// badInput is a request that is refused, and how.
type badInput struct {
	name, key, method, path, body string
	status                        int
	code, location, says          string
}

// badInputWith is what the requests name: an owner with a key and one that was revoked, and what a stranger has.
type badInputWith struct {
	ownerID, ownerKey, revokedKey              string
	strangerID, webhookID, eventID, deliveryID string
}

func badInputs(with badInputWith) []badInput {
	const (
		admin  = "Bearer " + adminKey
		events = "/api/events"
		hooks  = "/api/webhooks"
	)
	owner := "Bearer " + with.ownerKey
	webhook := func(member string) string { return `{"url":"https://example.com/x","events":["a"],` + member + `}` }
	url := func(text string) string { return `{"url":"` + text + `","events":["a"]}` }
	return []badInput{
		{"no key", "", "GET", hooks, "", 401, "unauthorized", "", "this call needs a key"},
		{"wrong key", "Bearer prk_wrong", "GET", hooks, "", 401, "unauthorized", "", "the key is not valid"},
		{"another scheme", "Basic abc", "GET", hooks, "", 401, "unauthorized", "", "is not of the form Bearer"},
		{"no token", "Bearer", "GET", hooks, "", 401, "unauthorized", "", "the key is empty"},
		{"revoked key", "Bearer " + with.revokedKey, "GET", hooks, "", 401, "unauthorized", "", "revoked"},
		{"owner as admin", owner, "GET", "/api/owners", "", 403, "forbidden", "", "only an administrator's key"},
		{"owner makes a key", owner, "POST", "/api/owners/" + with.ownerID + "/keys", "", 403, "forbidden", "", "only an administrator's key"},
		{"another owner's webhook", owner, "GET", hooks + "/" + with.webhookID, "", 404, "not_found", "", "there is no webhook " + with.webhookID},
		{"changing it", owner, "PATCH", hooks + "/" + with.webhookID, `{"active":false}`, 404, "not_found", "", "there is no webhook"},
		{"deleting it", owner, "DELETE", hooks + "/" + with.webhookID, "", 404, "not_found", "", "there is no webhook"},
		{"testing it", owner, "POST", hooks + "/" + with.webhookID + "/test", "", 404, "not_found", "", "there is no webhook"},
		{"rotating its secret", owner, "POST", hooks + "/" + with.webhookID + "/rotate-secret", "", 404, "not_found", "", "there is no webhook"},
		{"another owner's event", owner, "GET", events + "/" + with.eventID, "", 404, "not_found", "", "there is no event"},
		{"another owner's delivery", owner, "GET", "/api/deliveries/" + with.deliveryID, "", 404, "not_found", "", "there is no delivery"},
		{"resending it", owner, "POST", "/api/deliveries/" + with.deliveryID + "/resend", "", 404, "not_found", "", "there is no delivery"},
		{"cancelling it", owner, "POST", "/api/deliveries/" + with.deliveryID + "/cancel", "", 404, "not_found", "", "there is no delivery"},
		{"a webhook for another owner", owner, "POST", hooks, webhook(`"owner_id":"` + with.strangerID + `"`), 422, "invalid", "body.owner_id", "there is no owner"},
		{"an event for another owner", owner, "POST", events, `{"event":"a","data":1,"owner_id":"` + with.strangerID + `"}`, 422, "invalid", "body.owner_id", "there is no owner"},
		{"an unknown owner", admin, "POST", events, `{"event":"a","data":1,"owner_id":"own_x"}`, 422, "invalid", "body.owner_id", "there is no owner"},
		{"not JSON", admin, "POST", events, `{"event":`, 400, "malformed_json", "", "the body is not JSON"},
		{"no body", admin, "POST", events, ``, 400, "bad_request", "", "body is required"},
		{"a list", admin, "POST", events, `[]`, 422, "invalid", "body", "expected object"},
		{"unknown field", admin, "POST", events, `{"event":"a","data":1,"evnt":"a"}`, 422, "invalid", "body.evnt", "unexpected property"},
		{"no data", admin, "POST", events, `{"event":"a"}`, 422, "invalid", "body", "data to be present"},
		{"bad event type", admin, "POST", events, `{"event":"order created","data":1}`, 422, "invalid", "body.event", "such as order.created"},
		{"a pattern as event type", admin, "POST", events, `{"event":"order.*","data":1}`, 422, "invalid", "body.event", "such as order.created"},
		{"too large", admin, "POST", events, `{"event":"a","data":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "body_too_large", "", "larger than 1048576 bytes"},
		{"empty events", admin, "POST", hooks, `{"url":"https://example.com","events":[]}`, 422, "invalid", "body.events", "at least one event type"},
		{"malformed pattern", admin, "POST", hooks, `{"url":"https://example.com","events":["a","ord*r"]}`, 422, "invalid", "body.events[1]", "order.*"},
		{"a pattern twice", admin, "POST", hooks, `{"url":"https://example.com","events":["a","a"]}`, 422, "invalid", "body.events[1]", "listed twice"},
		{"URL without a host", admin, "POST", hooks, url("https:///x"), 422, "invalid", "body.url", "with a host"},
		{"URL with credentials", admin, "POST", hooks, url("https://user:pass@example.com"), 422, "invalid", "body.url", "without user name and password"},
		{"URL with another scheme", admin, "POST", hooks, url("ftp://example.com"), 422, "invalid", "body.url", "begins with https:// or http://"},
		{"URL without a scheme", admin, "POST", hooks, url("example.com/x"), 422, "invalid", "body.url", "begins with https:// or http://"},
		{"URL over 2 KiB", admin, "POST", hooks, url("https://example.com/" + strings.Repeat("x", 2048)), 422, "invalid", "body.url", "at most 2048 bytes"},
		{"URL with a fragment", admin, "POST", hooks, url("https://example.com/#x"), 422, "invalid", "body.url", "without #fragment"},
		{"a header of ours", admin, "POST", hooks, webhook(`"headers":{"X-Webhook-Event":"x"}`), 422, "invalid", "body.headers.X-Webhook-Event", "kept for Postrider's own headers"},
		{"a hop-by-hop header", admin, "POST", hooks, webhook(`"headers":{"connection":"close"}`), 422, "invalid", "body.headers.connection", "of the connection"},
		{"a header of two lines", admin, "POST", hooks, webhook(`"headers":{"X-A":"secret\r\nX-B: 1"}`), 422, "invalid", "body.headers.X-A", "without control characters"},
		{"a malformed header name", admin, "POST", hooks, webhook(`"headers":{"X A":"1"}`), 422, "invalid", "body.headers", "header names"},
		{"bad retry schedule", admin, "POST", hooks, webhook(`"retry_schedule":["1m","soon"]`), 422, "invalid", "body.retry_schedule", "is not a duration"},
		{"a wait of no time", admin, "POST", hooks, webhook(`"retry_schedule":["0s"]`), 422, "invalid", "body.retry_schedule", "not between"},
		{"null where it must not be", admin, "PATCH", hooks + "/" + with.webhookID, `{"url":null}`, 422, "invalid", "body.url", "expected a URL"},
		{"unknown ID", admin, "GET", hooks + "/wh_00000000000000000000000000", "", 404, "not_found", "", "there is no webhook wh_00000000000000000000000000"},
		{"ID of another kind", admin, "GET", hooks + "/" + with.eventID, "", 404, "not_found", "", "the ID of a webhook is wh_"},
		{"filter of another kind", admin, "GET", "/api/deliveries?webhook_id=" + with.eventID, "", 422, "invalid", "query.webhook_id", "expected wh_"},
		{"bad cursor", admin, "GET", events + "?cursor=abc", "", 422, "invalid", "query.cursor", "use next_cursor"},
		{"limit 0", admin, "GET", events + "?limit=0", "", 422, "invalid", "query.limit", "expected number >= 1"},
		{"limit 251", admin, "GET", events + "?limit=251", "", 422, "invalid", "query.limit", "expected number <= 250"},
		{"a header that we set", admin, "POST", hooks, webhook(`"headers":{"user-agent":"x"}`), 422, "invalid", "body.headers.user-agent", "set by Postrider"},
		{"limit x", admin, "GET", events + "?limit=x", "", 422, "invalid", "query.limit", "invalid"},
		{"bad status", admin, "GET", "/api/deliveries?status=lost", "", 422, "invalid", "query.status", "one of"},
		{"bad time", admin, "GET", "/api/deliveries?since=yesterday", "", 422, "invalid", "query.since", "expected a time in RFC 3339, such as"},
		{"unknown parameter", admin, "GET", events + "?evnt=a", "", 422, "invalid", "query.evnt", "unknown query parameter"},
		{"unknown route", admin, "GET", "/api/nothing", "", 404, "not_found", "", "there is no /api/nothing here"},
		{"wrong method", admin, "PUT", events, "{}", 405, "method_not_allowed", "", "PUT is not possible here"},
	}
}

// Each bad request is answered with a status, a code and what to change.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mine, theirs := models.Owner{Name: "mine"}, models.Owner{Name: "theirs"}
	require.NoError(t, s.store.CreateOwner(t.Context(), &mine))
	require.NoError(t, s.store.CreateOwner(t.Context(), &theirs))
	_, ownerKey, err := s.store.CreateAPIKey(t.Context(), mine.ID, models.RoleFull, nil)
	require.NoError(t, err)
	revokedKey, revoked, err := s.store.CreateAPIKey(t.Context(), mine.ID, models.RoleFull, nil)
	require.NoError(t, err)
	require.NoError(t, s.store.RevokeAPIKey(t.Context(), revokedKey.ID))
	theirWebhook := storetest.Webhook(t, s.store, func(webhook *models.Webhook) { webhook.OwnerID = theirs.ID })
	published, err := s.store.Publish(t.Context(), models.Event{Type: "a", Data: []byte(`{}`), OwnerID: theirs.ID})
	require.NoError(t, err)
	with := badInputWith{
		ownerID: mine.ID, ownerKey: ownerKey, revokedKey: revoked,
		strangerID: theirs.ID, webhookID: theirWebhook.ID, eventID: published.Event.ID, deliveryID: published.Deliveries[0].ID,
	}
	for _, test := range badInputs(with) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var header []string
			if test.key != "" {
				header = []string{"Authorization", test.key}
			}
			reply := s.in(t).call("", test.method, test.path, test.body, header...)
			got := reply.problem(test.status, test.code)
			require.Contains(t, got.Detail, test.says)
			require.NotContains(t, reply.body, "secret", "a rejected value is shown")
			if test.location != "" {
				require.Len(t, got.Errors, 1, reply.body)
				require.Equal(t, test.location, got.Errors[0].Location)
			}
		})
	}
	t.Cleanup(func() {
		// Nothing of all this changed anything.
		webhook, err := s.store.Webhook(context.Background(), models.Scope{}, theirWebhook.ID)
		require.NoError(t, err)
		require.Equal(t, theirWebhook.UpdatedAt, webhook.UpdatedAt.UTC())
	})
}
