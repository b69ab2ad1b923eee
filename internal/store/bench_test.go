package store_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// BenchmarkPublish stores an event of 1 KB with a delivery for each matching webhook.
func BenchmarkPublish(b *testing.B) {
	data := append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 1013)...), `"}`...)
	for _, database := range []struct {
		name string
		open func(testing.TB) *gorm.DB
	}{{"postgres", storetest.Postgres}, {"sqlite", storetest.SQLite}} {
		for _, webhooks := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/%d", database.name, webhooks), func(b *testing.B) {
				s := storetest.New(b, database.open(b), store.Config{})
				for range webhooks {
					makeWebhook(b, s, models.DefaultOwnerID, "order.*")
				}
				event := models.Event{Type: "order.created", Data: data}
				b.ReportAllocs()
				for b.Loop() {
					published, err := s.Publish(b.Context(), event)
					require.NoError(b, err)
					require.Len(b, published.Deliveries, webhooks)
				}
			})
		}
	}
}
