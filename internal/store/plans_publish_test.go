package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// To plan the statement that publishes takes several times as long as to execute it: PostgreSQL keeps its plan.
func TestPublishIsNotPlannedAnew(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	db, err := store.Open(url, 1) // prepared statements are a connection's
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	store := storetest.New(t, db, store.Config{})
	for range 3 {
		makeWebhook(t, store, models.DefaultOwnerID, "*")
	}
	const times, untilPlanned = 50, 5
	for range times {
		storetest.Publish(t, store, models.Event{Type: "order.created", Data: []byte(`{}`)})
	}
	var plans struct{ Custom, Generic int }
	require.NoError(t, db.Raw(`SELECT custom_plans AS custom, generic_plans AS generic FROM pg_prepared_statements
		WHERE statement LIKE '%INSERT INTO events%'`).Scan(&plans).Error)
	require.Equal(t, times, plans.Custom+plans.Generic)
	require.LessOrEqual(t, plans.Custom, untilPlanned)
}
