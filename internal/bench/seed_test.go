package bench

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
)

// TestFillerMakesRowsOfToday fails when the schema has changed in a way that the filler must follow.
func TestFillerMakesRowsOfToday(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	const rows = 4000
	webhooks := make([]string, growthWebhooks)
	for i := range webhooks {
		webhooks[i] = typeid.New(typeid.KindWebhook, time.Now())
	}
	f := &filler{webhooks: webhooks, begin: time.Now().Add(-seedSpan), step: seedSpan / rows, half: rows / 2, data: []byte(`{"n":1}`)}

	require.NoError(t, f.write(t.Context(), conn, 0, rows/4))
	require.NoError(t, f.write(t.Context(), conn, rows/4, rows))

	count := func(query string, args ...any) (n int) {
		require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
		return n
	}
	require.Equal(t, rows, count(`SELECT count(*) FROM deliveries JOIN events ON events.id = event_id
		JOIN attempts ON delivery_id = deliveries.id`), "each delivery has an event and an attempt")
	require.Equal(t, rows/growthWebhooks, count("SELECT count(*) FROM deliveries WHERE webhook_id = $1", webhooks[0]))
	const failed = "SELECT count(*) FROM deliveries WHERE status = 'permanently_failed' AND webhook_id = $1"
	require.Zero(t, count(failed, f.middle.healthy))
	require.Equal(t, rows/growthWebhooks/failedShare, count(failed, f.middle.webhook))
	require.Zero(t, count("SELECT count(*) FROM deliveries WHERE status NOT IN ('delivered', 'permanently_failed')"),
		"nothing that the sweep would start")
	require.Equal(t, rows/2, count("SELECT count(*) FROM deliveries WHERE id < $1", f.middle.delivery))
	require.NoError(t, typeid.Check(typeid.KindDelivery, f.middle.delivery))
}
