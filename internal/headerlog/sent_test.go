package headerlog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/headerlog"
)

func TestWhatWasSentComesBack(t *testing.T) {
	t.Parallel()
	sent := headerlog.Sent{DeliveryID: "dlv_1", Event: "order.created", Number: 3, StartedAt: time.Unix(1700000000, 5)}
	usual := []headerlog.Field{
		{"Content-Type", "application/json"}, {"User-Agent", "Postrider/1.2.3"}, {"Webhook-Id", "dlv_1"},
		{"Webhook-Signature", headerlog.Masked}, {"Webhook-Timestamp", "1700000000"}, {"X-Webhook-Attempt", "3"},
		{"X-Webhook-Delivery", "dlv_1"}, {"X-Webhook-Event", "order.created"}, {"X-Webhook-Signature", headerlog.Masked},
	}
	packed := sent.Pack(usual)
	require.Less(t, len(packed), 16, "the usual headers follow from the attempt")
	require.Equal(t, usual, sent.Unpack(packed))

	others := []headerlog.Field{
		{"Ce-Id", "evt_1"}, {"Content-Type", "application/cloudevents+json"}, {"Webhook-Id", "dlv_1"}, {"X-Key", headerlog.Masked},
		{"X-Webhook-Event", "another"},
	}
	require.Equal(t, others, sent.Unpack(sent.Pack(others)))
	require.Empty(t, sent.Unpack(sent.Pack(nil)))
}
