package store_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

// BenchmarkPublish stores an event of 1 KB with a delivery for each matching webhook.
func BenchmarkPublish(b *testing.B) {
	data := append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 1013)...), `"}`...)
	for _, database := range []struct {
		name string
		url  func(testing.TB) string
	}{{"postgres", testdb.Postgres}, {"sqlite", testdb.SQLite}} {
		for _, webhooks := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/%d", database.name, webhooks), func(b *testing.B) {
				store := openStore(b, database.url(b))
				for range webhooks {
					makeWebhook(b, store, models.DefaultOwnerID, "order.*")
				}
				event := models.Event{Type: "order.created", Data: data}
				b.ReportAllocs()
				for b.Loop() {
					published, err := store.Publish(b.Context(), event)
					require.NoError(b, err)
					require.Len(b, published.Deliveries, webhooks)
				}
			})
		}
	}
}
