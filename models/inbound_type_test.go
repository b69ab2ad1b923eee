package models_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

func TestEventTypesOfSources(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ prefix, provider, want string }{
		{"stripe", "payment_intent.succeeded", "stripe.payment_intent.succeeded"},
		{"shopify", "orders/paid", "shopify.orders.paid"},
		{"github", "pull_request.opened", "github.pull_request.opened"},
		{"", "a.b", "a.b"},
		{"slack", "app mention", "slack.app_mention"},
		{"x", "..a//b..", "x.a.b"},
		{"x", "ü", "x._"},
		{"x", "", "x"},
		{"postrider", "webhook.test", "postrider.webhook.test"},
		{"postrider", "delivery.created", "postrider.delivery.created"},
		{"postrider", models.EventWebhookFailing, "postrider.postrider.webhook.failing"},
		{"peer", "webhook.failing", "peer.webhook.failing"},
		{"x", strings.Repeat("y", 126), "x." + strings.Repeat("y", 126)},
	} {
		eventType, err := models.Source{EventPrefix: test.prefix}.EventType(test.provider)
		require.NoError(t, err)
		require.Equal(t, test.want, eventType)
		require.False(t, models.Operational(eventType))
	}
	for _, test := range []struct{ prefix, provider, says string }{
		{"postrider", "webhook.failing", "change the source's event_prefix"},
		{"postrider", "delivery/permanently_failed", "change the source's event_prefix"},
		{"postrider.webhook", "disabled", "change the source's event_prefix"},
		{"", models.EventWebhookRecovered, "change the source's event_prefix"},
		{"x", strings.Repeat("y", 127), "has 129 characters; event types have 128 at most"},
		{"", "", "makes no event type"},
	} {
		_, err := models.Source{EventPrefix: test.prefix}.EventType(test.provider)
		require.ErrorIs(t, err, models.ErrUnusableType)
		require.ErrorContains(t, err, test.says)
	}
}
