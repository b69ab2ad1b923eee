package attempt

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// BenchmarkRequest signs and builds the request of an attempt with 1 KB of data.
func BenchmarkRequest(b *testing.B) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	secret, err := signature.NewSecret()
	if err != nil {
		b.Fatal(err)
	}
	job := models.Job{
		Delivery: models.Delivery{ID: typeid.New(typeid.KindDelivery, at)},
		Event: models.Event{
			ID: typeid.New(typeid.KindEvent, at), Type: "order.created", CreatedAt: at,
			Data: append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 1013)...), `"}`...),
		},
		Webhook: models.Webhook{URL: "https://example.com/webhooks"},
	}
	maker := &Maker{UserAgent: "Postrider/0.1.0"}
	attempt := models.Attempt{Number: 1, StartedAt: at}
	b.ReportAllocs()
	b.SetBytes(int64(len(job.Event.Data)))
	for b.Loop() {
		keys, err := signersOf([]string{secret})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := maker.newRequest(context.Background(), job, keys, attempt); err != nil {
			b.Fatal(err)
		}
	}
}
