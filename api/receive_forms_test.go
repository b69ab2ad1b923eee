package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// TestReceiveWhateverIsAuthentic sends signed bodies that are not the one object with a type that most
// providers send.
func TestReceiveWhateverIsAuthentic(t *testing.T) {
	t.Parallel()
	const form, secret = "application/x-www-form-urlencoded", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for name, test := range map[string]struct {
		scheme                signature.Scheme
		contentType, body     string
		header                []string
		id, evType            string
		signatureUnderAnother string // name of the header that the signature is sent in
	}{
		"slash command": {
			scheme: signature.SchemeSlack, contentType: form, body: "token=x&command=%2Fweather&text=94070&trigger_id=1.2",
			id: "1.2", evType: "/weather",
		},
		"button of a Slack message": {
			scheme: signature.SchemeSlack, contentType: "Application/X-WWW-Form-Urlencoded; charset=; foo",
			body: "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2%22%7D", id: "1.2", evType: "block_actions",
		},
		"Slack's form without trigger": {
			scheme: signature.SchemeSlack, contentType: form, body: "command=%2Fx", evType: "/x",
			id: "sha256:ed7241c0197089b0ddecf332f0f55cf3f1d59cc8c42737a18ca7171fe302a72c",
		},
		"standard, no type":          {scheme: signature.SchemeStandardWebhooks, body: `{"n":1}`, id: "msg_1", evType: "event"},
		"standard, event_type":       {scheme: signature.SchemeStandardWebhooks, body: `{"event_type":"a.b"}`, id: "msg_1", evType: "a.b"},
		"standard, eventType":        {scheme: signature.SchemeStandardWebhooks, body: `{"eventType":"a.b"}`, id: "msg_1", evType: "a.b"},
		"standard, array":            {scheme: signature.SchemeStandardWebhooks, body: `[{"type":"a"}]`, id: "msg_1", evType: "event"},
		"standard, text":             {scheme: signature.SchemeStandardWebhooks, contentType: "text/plain", body: `hello`, id: "msg_1", evType: "event"},
		"standard, nothing":          {scheme: signature.SchemeStandardWebhooks, id: "msg_1", evType: "event"},
		"standard, byte order mark":  {scheme: signature.SchemeStandardWebhooks, body: "\ufeff{\"type\":\"a.b\"}", id: "msg_1", evType: "a.b"},
		"stripe, byte order mark":    {scheme: signature.SchemeStripe, body: "\ufeff{\"id\":\"evt_1\",\"type\":\"a.b\"}", id: "evt_1", evType: "a.b"},
		"github, odd content type":   {scheme: signature.SchemeGitHub, contentType: "Application/X-WWW-Form-Urlencoded; foo", body: "payload=%7B%22action%22%3A%22opened%22%7D", header: []string{"X-GitHub-Delivery", "g", "X-GitHub-Event", "issues"}, id: "g", evType: "issues.opened"},
		"shopify's newer headers":    {scheme: signature.SchemeShopify, body: `{}`, header: []string{"shopify-webhook-id", "w", "shopify-topic", "orders/paid"}, id: "w", evType: "orders/paid", signatureUnderAnother: "shopify-hmac-sha256"},
		"shopify's events":           {scheme: signature.SchemeShopify, body: `{}`, header: []string{"shopify-event-id", "e", "shopify-topic", "Product", "shopify-action", "update"}, id: "e/Product/update", evType: "Product/update", signatureUnderAnother: "shopify-hmac-sha256"},
		"shopify, both at once":      {scheme: signature.SchemeShopify, body: `{}`, header: []string{"X-Shopify-Webhook-Id", "w", "X-Shopify-Topic", "orders/paid", "shopify-webhook-id", "w", "shopify-topic", "orders/paid"}, id: "w", evType: "orders/paid"},
		"shopify's ID twice removed": {scheme: signature.SchemeShopify, body: `{}`, header: []string{"X-Shopify-Event-Id", "e", "shopify-topic", "orders/paid"}, id: "e/orders/paid", evType: "orders/paid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			path := "/webhooks/" + s.source(`{"name":"x","scheme":"`+string(test.scheme)+`","secret":"`+secret+`"}`)
			cfg := signature.Config{Scheme: test.scheme, Secrets: []string{secret}}
			header := s.sign(cfg, test.body, append(test.header, "Content-Type", test.contentType)...)
			for i, name := range header {
				if test.signatureUnderAnother != "" && name == signature.HeaderShopify {
					header[i] = test.signatureUnderAnother
				}
			}
			for range 2 {
				s.call("", "POST", path, test.body, header...).is(http.StatusOK)
			}
			received := s.received()
			require.Len(t, received, 1)
			require.Equal(t, test.id, received[0].ProviderID)
			require.Equal(t, test.evType, received[0].Type)
			stored, err := s.store.InboundEvent(t.Context(), models.Scope{}, received[0].ID)
			require.NoError(t, err)
			require.Equal(t, test.body, string(stored.Body))
			require.NotContains(t, stored.Headers, "Shopify-Hmac-Sha256")
			s.call("", "POST", path, test.body+"x", header...).problem(http.StatusUnauthorized, "bad_signature")
		})
	}
}
