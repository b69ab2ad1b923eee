package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// filteredAndTransformed publishes to webhooks that look at what they get.
func filteredAndTransformed(t *testing.T, p *installation) {
	target := newReceiver(t, always(http.StatusOK))
	owner := p.newOwner(t, nil)
	hook := p.newWebhook(t, owner, target.url, object{
		"filter":    `data.amount > 100 && metadata.region == "eu"`,
		"transform": `{"total": data.amount * 2, "of": webhook.owner_id, "order": data.order}`,
	})
	publish := func(data any, region string) event {
		var published event
		p.call(t, http.MethodPost, "/api/events", object{"event": "order.created", "owner_id": owner, "data": data,
			"metadata": object{"region": region}}, http.StatusAccepted, &published)
		return published
	}
	dropped := publish(object{"amount": 100, "order": object{}}, "eu")
	require.Zero(t, dropped.Deliveries)
	require.Zero(t, publish(object{"amount": 200, "order": object{}}, "us").Deliveries)
	require.Empty(t, p.deliveriesOf(t, dropped.ID))
	passes := publish(json.RawMessage(`{"amount": 150, "order": {"b": 1.0, "a": 2}}`), "eu")
	require.Equal(t, 1, passes.Deliveries)
	p.await(t, p.deliveriesOf(t, passes.ID)[0].ID, "delivered")
	require.Contains(t, string(target.all()[0].body), `"data":{"of":"`+owner+`","order":{"b":1.0,"a":2},"total":300}}`)
	requireVerified(t, target.all()[0], hook.Secret)

	// A filter that fails lets the event pass, and says so; a transformation that fails sends nothing.
	p.call(t, http.MethodPatch, "/api/webhooks/"+hook.ID, object{"transform": nil}, http.StatusOK, nil)
	failing := publish(object{}, "eu")
	require.Equal(t, 1, failing.Deliveries)
	shown := p.await(t, p.deliveriesOf(t, failing.ID)[0].ID, "delivered")
	require.NotNil(t, shown.FilterError)
	require.Contains(t, *shown.FilterError, "line 1, column 5")
	require.Equal(t, 2, target.count())

	p.call(t, http.MethodPatch, "/api/webhooks/"+hook.ID, object{"filter": nil, "transform": "data.missing", "retry_schedule": []string{"1h"}},
		http.StatusOK, nil)
	id := p.deliveriesOf(t, publish(object{}, "eu").ID)[0].ID
	waits := p.await(t, id, "failed")
	require.Equal(t, "transform", *waits.Attempts[0].ErrorClass)
	require.Nil(t, waits.FilterError)
	require.Equal(t, 2, target.count())
	p.call(t, http.MethodPatch, "/api/webhooks/"+hook.ID, object{"transform": `"mended"`}, http.StatusOK, nil)
	p.resend(t, id)
	p.await(t, id, "delivered")
	require.Contains(t, string(target.all()[2].body), `"data":"mended"}`)
	awaitWorkflow(t, p.dial(t), id, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
}

// catalogued has events held against the catalogue, shows it to everyone, and sends an example of it.
func catalogued(t *testing.T, p *installation) {
	owner := p.newOwner(t, nil)
	// A type of its own: the other stories publish what they like.
	const name = "catalogue.order_created"
	description := object{
		"description": "A customer has placed an order <b>.", "group": "Orders",
		"schema": object{"type": "object", "required": []string{"id"}, "properties": object{
			"id": object{"type": "integer", "description": "Counts from 1."}, "total": object{"type": "number"}}},
		"example": object{"id": 4242, "total": 19.9},
	}
	p.call(t, http.MethodPut, "/api/event-types/"+name, description, http.StatusCreated, nil)

	target := newReceiver(t, always(http.StatusOK))
	hook := p.newWebhook(t, owner, target.url, object{"events": []string{"catalogue.*"}})
	var refused struct {
		problem
		Errors []struct {
			Location string `json:"location"`
		} `json:"errors"`
	}
	unfit := object{"event": name, "owner_id": owner, "data": object{"id": 1, "total": "much"}}
	p.call(t, http.MethodPost, "/api/events", unfit, http.StatusUnprocessableEntity, &refused)
	require.Equal(t, "body.data.total", refused.Errors[0].Location)
	results := p.publishBatch(t, unfit, object{"event": name, "owner_id": owner, "data": object{"id": 1}},
		object{"event": "catalogue.unknown", "owner_id": owner, "data": "anything"})
	require.NotNil(t, results[0].Error)
	require.Equal(t, "body.events[0].data.total", results[0].Error.Errors[0].Location)
	for _, result := range results[1:] {
		require.Nil(t, result.Error)
		p.await(t, p.deliveriesOf(t, result.ID)[0].ID, "delivered")
	}
	require.Equal(t, 2, target.count())

	var tested struct {
		Success    bool   `json:"success"`
		DeliveryID string `json:"delivery_id"`
	}
	p.call(t, http.MethodPost, "/api/webhooks/"+hook.ID+"/test", object{"event_type": name}, http.StatusOK, &tested)
	require.True(t, tested.Success)
	got := target.all()[2]
	require.Equal(t, tested.DeliveryID, got.deliveryID())
	require.Equal(t, name, got.header.Get("X-Webhook-Event"))
	require.Contains(t, string(got.body), `"data":{"id":4242,"total":19.9}}`)
	requireVerified(t, got, hook.Secret)

	// A change that breaks consumers wants to be meant.
	description["schema"] = object{"type": "object"}
	var breaks problem
	p.call(t, http.MethodPut, "/api/event-types/"+name, description, http.StatusConflict, &breaks)
	require.Equal(t, "schema_breaks", breaks.Code)
	require.Contains(t, publicPage(t, p, "/event-types/"+name), "Counts from 1.", "nothing has changed")
	for path, has := range map[string][]string{
		"/event-types": {name, "Orders", "order &lt;b&gt;."}, "/event-types/" + name: {"4242", "&#34;integer&#34;"},
	} {
		page := publicPage(t, p, path)
		for _, text := range has {
			require.Contains(t, page, text, path)
		}
	}
	p.call(t, http.MethodPut, "/api/event-types/"+name+"?force=true", description, http.StatusOK, nil)
	eventually(t, func() bool {
		status, _, err := p.ask(t, http.MethodPost, "/api/events", unfit, nil)
		require.NoError(t, err)
		return status == http.StatusAccepted
	}, "the new schema does not count")
}

// publicPage is a page as anyone sees it, without a key.
func publicPage(t *testing.T, p *installation, path string) string {
	t.Helper()
	response, err := httpClient.Get(p.url + path)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, response.Header.Get("Content-Type"), "text/html")
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
