package models_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/models/migrations"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA="

// onEach runs a test on every kind of database, each with a migrated, empty database of its own.
func onEach(t *testing.T, test func(t *testing.T, store *models.Store)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		test(t, openStore(t, url))
	})
}

func openStore(t testing.TB, url string) *models.Store {
	t.Helper()
	db, err := models.Open(url, 10)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	dialect, _, _ := strings.Cut(url, "://")
	_, err = migrations.Up(t.Context(), pool, dialect)
	require.NoError(t, err)
	return models.NewStore(db, models.Config{Keyring: newKeyring(t)})
}

func newKeyring(t testing.TB) *models.Keyring {
	t.Helper()
	key, err := models.ParseEncryptionKey(models.NewEncryptionKey())
	require.NoError(t, err)
	ring, err := models.NewKeyring(key)
	require.NoError(t, err)
	return ring
}

func makeOwner(t testing.TB, store *models.Store, name string) models.Owner {
	t.Helper()
	owner := models.Owner{Name: name, Email: name + "@example.com"}
	require.NoError(t, store.CreateOwner(t.Context(), &owner))
	return owner
}

func makeWebhook(t testing.TB, store *models.Store, ownerID string, events ...string) models.Webhook {
	t.Helper()
	webhook := models.Webhook{
		OwnerID: ownerID, URL: "https://example.com/hook", Host: "example.com", Events: events,
		Headers: map[string]string{"X-Team": "a"}, Active: true,
	}
	require.NoError(t, store.CreateWebhook(t.Context(), &webhook, testSecret))
	return webhook
}

func publish(t testing.TB, store *models.Store, event models.Event) models.Published {
	t.Helper()
	published, err := store.Publish(t.Context(), event)
	require.NoError(t, err)
	return published
}

// attempted records the n-th attempt of a delivery.
func attempted(t testing.TB, store *models.Store, delivery models.Delivery, n int, status models.Status) models.Attempt {
	t.Helper()
	now := store.Now()
	code := 200
	attempt := models.Attempt{
		ID: models.AttemptID("run", n, now), DeliveryID: delivery.ID, Number: n, Trigger: models.TriggerSchedule,
		StatusCode: &code, DurationMS: 12, ResponseBody: []byte("ok\xff"), RemoteAddr: "127.0.0.1:80", StartedAt: now,
	}
	outcome := models.Outcome{Attempt: attempt, Status: status, RunID: "run"}
	if status != models.StatusDelivered {
		outcome.Attempt.ErrorClass, outcome.Attempt.Error = models.ErrorHTTPStatus, "receiver answered 500"
	}
	if status == models.StatusFailed {
		next := now.Add(time.Minute)
		outcome.NextAttemptAt = &next
	}
	require.NoError(t, store.RecordAttempt(context.Background(), outcome))
	return outcome.Attempt
}

func key(n int) *string {
	text := fmt.Sprintf("key-%d", n)
	return &text
}
