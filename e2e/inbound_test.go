package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	stripe "github.com/stripe/stripe-go/v82/webhook"
	enumspb "go.temporal.io/api/enums/v1"
)

const stripeSecret = "whsec_of_stripe"

// source is an inbound endpoint, as the API shows it.
type source struct {
	ID         string `json:"id"`
	URL        string `json:"url"`
	Rejected   int    `json:"rejected"`
	Rejections []struct {
		Reason     string `json:"reason"`
		RemoteAddr string `json:"remote_addr"`
	} `json:"rejections"`
}

// inboundEvent is what a source received, as the API shows it.
type inboundEvent struct {
	ID         string            `json:"id"`
	ProviderID string            `json:"provider_id"`
	Type       string            `json:"type"`
	Status     string            `json:"status"`
	Attempts   int               `json:"attempts"`
	EventID    *string           `json:"event_id"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	Deliveries []delivery        `json:"deliveries"`
}

func (p *installation) newSource(t testing.TB, ownerID string) source {
	t.Helper()
	var made source
	p.call(t, http.MethodPost, "/api/sources",
		object{"name": "Stripe", "scheme": "stripe", "secret": stripeSecret, "owner_id": ownerID}, http.StatusCreated, &made)
	return made
}

// inboundOf lists what a source received.
func (p *installation) inboundOf(t testing.TB, sourceID string) []inboundEvent {
	t.Helper()
	var list struct {
		Data []inboundEvent `json:"data"`
	}
	p.call(t, http.MethodGet, "/api/inbound-events?source_id="+sourceID, nil, http.StatusOK, &list)
	return list.Data
}

// awaitInbound waits until everything that a source received has a status, and returns it.
func (p *installation) awaitInbound(t testing.TB, sourceID, status string) []inboundEvent {
	t.Helper()
	var list []inboundEvent
	eventually(t, func() bool {
		list = p.inboundOf(t, sourceID)
		for _, inbound := range list {
			if inbound.Status != status {
				return false
			}
		}
		return len(list) > 0
	}, "inbound events are not %s: %+v", status, &list)
	return list
}

// stripeEvent is an event of Stripe's form.
func stripeEvent(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","type":"payment_intent.succeeded","created":%d,"data":{"object":{"amount":1.50}}}`,
		id, time.Now().Unix())
}

// sendAsStripe posts an event that Stripe's own library has signed.
func sendAsStripe(t testing.TB, url string, body []byte, secret string) (int, string) {
	t.Helper()
	signed := stripe.GenerateTestSignedPayload(&stripe.UnsignedPayload{Payload: body, Secret: secret})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("Stripe-Signature", signed.Header)
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(answer)
}

// TestInbound sends an event as Stripe does, to an owner with two webhooks for it: both get it, signed by
// Postrider, and Temporal shows an Inbound and two Delivery workflows.
func TestInbound(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		first, second := newReceiver(t, always(http.StatusOK)), newReceiver(t, failFirst(1, http.StatusInternalServerError))
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, first.url, object{"events": []string{"stripe.payment_intent.*"}})
		p.newWebhook(t, owner, second.url, object{"events": []string{"stripe.*"}, "retry_schedule": []string{"1s"}})
		p.newWebhook(t, owner, first.url, object{"events": []string{"github.*"}})
		from := p.newSource(t, owner)

		body := stripeEvent("evt_1")
		for range 2 { // the second is a duplicate
			status, answer := sendAsStripe(t, from.URL, body, stripeSecret)
			require.Equal(t, http.StatusOK, status)
			require.JSONEq(t, `{"received": true}`, answer)
		}
		received := p.awaitInbound(t, from.ID, "processed")
		require.Len(t, received, 1)
		require.Equal(t, "evt_1", received[0].ProviderID)
		require.Equal(t, "payment_intent.succeeded", received[0].Type)

		second.await(t, 2)
		for _, request := range append(first.await(t, 1), second.all()...) {
			require.Equal(t, "stripe.payment_intent.succeeded", request.header.Get("X-Webhook-Event"))
			var envelope struct {
				Data json.RawMessage `json:"data"`
			}
			require.NoError(t, json.Unmarshal(request.body, &envelope))
			require.Equal(t, string(body), string(envelope.Data))
		}

		var shown inboundEvent
		p.call(t, http.MethodGet, "/api/inbound-events/"+received[0].ID, nil, http.StatusOK, &shown)
		require.Equal(t, string(body), shown.Body)
		require.Equal(t, "application/json; charset=utf-8", shown.Headers["Content-Type"])
		require.NotContains(t, shown.Headers, "Stripe-Signature")
		require.Len(t, shown.Deliveries, 2)

		temporal := p.dial(t)
		awaitWorkflow(t, temporal, shown.ID, "", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED)
		awaitFound(t, temporal, shown.ID, "WorkflowType = 'Inbound'")
		for _, delivery := range shown.Deliveries {
			p.await(t, delivery.ID, "delivered")
			awaitFound(t, temporal, delivery.ID, "WorkflowType = 'Delivery'")
		}

		p.call(t, http.MethodPost, "/api/inbound-events/"+shown.ID+"/reprocess", nil, http.StatusAccepted, nil)
		first.await(t, 2)
		second.await(t, 3)
		var again inboundEvent
		p.call(t, http.MethodGet, "/api/inbound-events/"+shown.ID, nil, http.StatusOK, &again)
		require.Equal(t, 2, again.Attempts)
		require.NotEqual(t, *shown.EventID, *again.EventID)
	})
}

// TestInboundRefused shows what people look for when an integration does not work.
func TestInboundRefused(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		from := p.newSource(t, p.newOwner(t, nil))
		const marker = "private-marker"
		status, answer := sendAsStripe(t, from.URL, stripeEvent(marker), "whsec_of_someone_else")
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, answer, `"code":"bad_signature"`)
		status, _ = sendAsStripe(t, from.URL, []byte(`{"no":"id"}`), stripeSecret)
		require.Equal(t, http.StatusBadRequest, status)
		status, _ = sendAsStripe(t, from.URL, []byte(`{"id":"`+strings.Repeat("x", 5<<20)+`"}`), stripeSecret)
		require.Equal(t, http.StatusRequestEntityTooLarge, status)
		status, _ = sendAsStripe(t, strings.Replace(from.URL, "src_", "wh_", 1), stripeEvent("evt_1"), stripeSecret)
		require.Equal(t, http.StatusNotFound, status)
		require.Empty(t, p.inboundOf(t, from.ID))

		var shown source
		var raw []byte
		eventually(t, func() bool { // rejections are written every second
			var code int
			var err error
			code, raw, err = p.ask(t, http.MethodGet, "/api/sources/"+from.ID, nil, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, code)
			require.NoError(t, json.Unmarshal(raw, &shown))
			return shown.Rejected == 3
		}, "the rejections are not counted")
		require.Len(t, shown.Rejections, 3)
		require.Contains(t, shown.Rejections[2].Reason, "signature does not match")
		require.Equal(t, "127.0.0.1", shown.Rejections[2].RemoteAddr)
		require.NotContains(t, string(raw), marker)
		require.NotContains(t, string(raw), stripeSecret)
	})
}

// TestInboundKilled kills the process right behind its answers: what was acknowledged is processed by the
// next process, once.
func TestInboundKilled(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, nil)
		from := p.newSource(t, owner)
		const events = 20
		for i := range events {
			status, _ := sendAsStripe(t, from.URL, stripeEvent(fmt.Sprintf("evt_%d", i)), stripeSecret)
			require.Equal(t, http.StatusOK, status)
		}
		p.killPostrider()
		p.start(t)
		received := p.awaitInbound(t, from.ID, "processed")
		require.Len(t, received, events)
		for _, inbound := range received {
			require.Equal(t, 1, inbound.Attempts)
			deliveries := p.deliveriesOf(t, *inbound.EventID)
			require.Len(t, deliveries, 1)
			p.await(t, deliveries[0].ID, "delivered")
		}
		var list struct {
			Data []event `json:"data"`
		}
		p.call(t, http.MethodGet, "/api/events?limit=250&owner_id="+owner, nil, http.StatusOK, &list)
		require.Len(t, list.Data, events)
	})
}

// TestInboundAtOnce sends one event a hundred times at once, to one process and spread over two.
func TestInboundAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		target := newReceiver(t, always(http.StatusOK))
		owner := p.newOwner(t, nil)
		p.newWebhook(t, owner, target.url, nil)
		from := p.newSource(t, owner)
		urls := []string{from.URL}
		if p.temporal != nil {
			urls = append(urls, strings.Replace(from.URL, p.url, p.startAnotherAPI(t), 1))
		}
		body := stripeEvent("evt_1")
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				status, answer := sendAsStripe(t, urls[i%len(urls)], body, stripeSecret)
				if status != http.StatusOK {
					t.Errorf("answered %d: %s", status, answer)
				}
			})
		}
		all.Wait()
		received := p.awaitInbound(t, from.ID, "processed")
		require.Len(t, received, 1)
		require.Equal(t, 1, received[0].Attempts)
		target.await(t, 1)
		p.settled(t)
		require.Equal(t, 1, target.count())
	})
}

// startAnotherAPI runs a second API process on the installation's database and returns its URL.
func (p *installation) startAnotherAPI(t testing.TB) string {
	t.Helper()
	listen := address(ports.next(t))
	api := launch(t, []string{
		"POSTRIDER_DATABASE_URL=" + p.databaseURL,
		"POSTRIDER_ENCRYPTION_KEY=" + p.encryptionKey,
		"POSTRIDER_LISTEN=" + listen,
		"TEMPORAL_ADDRESS=" + p.temporalAddress,
	}, "postrider", "api")
	p.programs = append(p.programs, api)
	eventually(t, func() bool {
		response, err := httpClient.Get("http://" + listen + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, "the second API is not ready")
	return "http://" + listen
}
