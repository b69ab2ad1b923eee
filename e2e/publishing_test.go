package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// batchResult is the answer to one event of a batch.
type batchResult struct {
	event
	Error *struct {
		problem
		Errors []struct {
			Location string `json:"location"`
		} `json:"errors"`
	} `json:"error"`
}

// publishBatch publishes events in one request and returns the result of each.
func (p *installation) publishBatch(t testing.TB, events ...object) []batchResult {
	t.Helper()
	var answer struct {
		Data []batchResult `json:"data"`
	}
	p.call(t, http.MethodPost, "/api/events/batch", object{"events": events}, http.StatusAccepted, &answer)
	require.Len(t, answer.Data, len(events))
	return answer.Data
}

// publishedTogether publishes a batch of which some events are wrong: each has a result of its own, and the others arrive.
func publishedTogether(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	p.newWebhook(t, owner, target.url, nil)
	of := func(data any, more object) object {
		made := object{"event": "order.created", "owner_id": owner, "data": data}
		for name, value := range more {
			made[name] = value
		}
		return made
	}
	results := p.publishBatch(t,
		of("first", object{"idempotency_key": owner}),
		of("wrong", object{"unknown": true}),
		of("first", object{"idempotency_key": owner}),
		of("another", object{"idempotency_key": owner}),
		of("wrong too", object{"event": "not a type"}),
		of("last", nil),
	)
	for _, n := range []int{1, 3, 4} {
		require.NotNil(t, results[n].Error, "%d", n)
	}
	require.Equal(t, "body.events[1].unknown", results[1].Error.Errors[0].Location)
	require.Equal(t, "invalid", results[1].Error.Code)
	require.Equal(t, "body.events[4].event", results[4].Error.Errors[0].Location)
	require.True(t, results[2].Duplicate)
	require.Equal(t, results[0].ID, results[2].ID)
	require.Equal(t, http.StatusConflict, results[3].Error.Status)
	arrive := map[string]bool{}
	for _, n := range []int{0, 5} {
		require.Nil(t, results[n].Error)
		require.False(t, results[n].Duplicate)
		require.Equal(t, 1, results[n].Deliveries)
		id := p.deliveriesOf(t, results[n].ID)[0].ID
		p.await(t, id, "delivered")
		arrive[id] = true
	}
	p.settled(t)
	require.Equal(t, 2, target.count())
	for _, request := range target.all() {
		require.True(t, arrive[request.deliveryID()], "%s", request.body)
	}
	p.sendFile(t, owner, target)
}

// sendFile publishes the events of a file from the command line, twice, and of the second time nothing is new.
func (p *installation) sendFile(t *testing.T, owner string, target *receiver) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"event": "order.created", "data": {"n": 1.0}}
{"event": "not a type", "data": 2}
{"event": "order.created", "data": {"n": 3}}
`), 0o600))
	before := target.count()
	for n := range 2 {
		said := strings.Split(p.command(t, 1, "send", "--batch", file, "--owner-id", owner, "--idempotency-key", owner+"-file"), "\n")
		for _, line := range []int{0, 2} {
			require.Contains(t, said[line], `"duplicate":`+strconv.FormatBool(n == 1))
		}
		require.Contains(t, said[1], "body.events[1].event")
		target.await(t, before+2)
	}
	p.settled(t)
	require.Equal(t, before+2, target.count())
	require.Contains(t, string(target.all()[before].body)+string(target.all()[before+1].body), `"data":{"n": 1.0}}`)
}

// publishedToSome names webhooks, which get the event whatever their event types, with its metadata and its trace.
func publishedToSome(t *testing.T, p *installation) {
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	named, other := newReceiver(t, always(http.StatusOK)), newReceiver(t, always(http.StatusOK))
	owner, stranger := p.newOwner(t, nil), p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, named.url, object{"events": []string{"invoice.*"}})
	p.newWebhook(t, owner, other.url, nil)
	strange := p.newWebhook(t, stranger, other.url, nil)
	body := object{"event": "order.created", "owner_id": owner, "data": 1, "webhook_ids": []string{hook.ID},
		"metadata": object{"order_id": "42", "Region": "eu"}, "occurred_at": "2026-01-02T03:04:05Z"}
	status, answer, err := p.ask(t, http.MethodPost, "/api/events", body, http.Header{"Traceparent": {trace}})
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, status, "%s", answer)

	got := named.await(t, 1)[0]
	require.Equal(t, "42", got.header.Get("X-Webhook-Meta-Order-Id"))
	require.Equal(t, "eu", got.header.Get("X-Webhook-Meta-Region"))
	require.Equal(t, trace, got.header.Get("Traceparent"))
	shown := p.await(t, got.deliveryID(), "delivered")
	var stored struct {
		Metadata   map[string]string `json:"metadata"`
		OccurredAt string            `json:"occurred_at"`
	}
	p.call(t, http.MethodGet, "/api/events/"+shown.EventID, nil, http.StatusOK, &stored)
	require.Equal(t, map[string]string{"order_id": "42", "Region": "eu"}, stored.Metadata)
	require.Equal(t, "2026-01-02T03:04:05Z", stored.OccurredAt)

	body["webhook_ids"] = []string{hook.ID, strange.ID}
	p.call(t, http.MethodPost, "/api/events", body, http.StatusUnprocessableEntity, nil)
	p.settled(t)
	require.Equal(t, 1, named.count())
	require.Zero(t, other.count())
}

// erased erases an event of which one delivery has arrived and one waits.
func erased(t *testing.T, p *installation) {
	const private = "5555444433332222"
	happy := newReceiver(t, func(int, *http.Request) answer {
		return answer{status: http.StatusOK, body: "got " + private, header: http.Header{"X-Card": {private}}}
	})
	broken := newReceiver(t, func(int, *http.Request) answer { return answer{status: http.StatusBadGateway, body: "no " + private} })
	owner := p.newOwner(t, nil)
	arrives := p.newWebhook(t, owner, happy.url, nil)
	p.newWebhook(t, owner, broken.url, object{"retry_schedule": []string{"1h"}})
	var published event
	p.call(t, http.MethodPost, "/api/events", object{"event": "order.created", "owner_id": owner, "data": object{"card": private},
		"metadata": object{"card": private}}, http.StatusAccepted, &published)
	var done, waits delivery
	for _, of := range p.deliveriesOf(t, published.ID) {
		if of.WebhookID == arrives.ID {
			done = p.await(t, of.ID, "delivered")
		} else {
			waits = p.await(t, of.ID, "failed")
		}
	}
	require.Contains(t, *done.Attempts[0].ResponseBody, private)
	require.Contains(t, *waits.Attempts[0].ResponseBody, private)

	found := func() []delivery { return p.list(t, "/api/deliveries?owner_id="+owner+"&search="+private) }
	require.Len(t, found(), 2, "by the metadata")
	for range 2 {
		p.call(t, http.MethodDelete, "/api/events/"+published.ID+"/data", nil, http.StatusNoContent, nil)
	}
	require.Empty(t, found())
	ended := p.await(t, waits.ID, "cancelled")
	require.Nil(t, ended.NextAttemptAt)
	awaitWorkflow(t, p.dial(t), waits.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED)
	require.Equal(t, "delivered", p.delivery(t, done.ID).Status, "the log stays")
	for _, path := range []string{
		"/api/events/" + published.ID, "/api/events?include=data&owner_id=" + owner, "/api/deliveries/" + done.ID, "/api/deliveries/" + waits.ID,
		"/api/attempts?include=response_body,response_headers,request_headers&webhook_id=" + arrives.ID,
	} {
		status, answer, err := p.ask(t, http.MethodGet, path, nil, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, string(answer), private, path)
	}
	var refused problem
	p.call(t, http.MethodPost, "/api/deliveries/"+done.ID+"/resend", nil, http.StatusConflict, &refused)
	require.Equal(t, "event_erased", refused.Code)
	p.settled(t)
	require.Equal(t, 1, happy.count())
	require.Equal(t, 1, broken.count())
}
