package store_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// onEach runs a test on every kind of database, each with a migrated, empty database of its own.
func onEach(t *testing.T, test func(t *testing.T, store *store.Store)) {
	t.Helper()
	t.Parallel()
	storetest.EachStore(t, test)
}

// onEachDatabase is onEach for tests that look behind the store.
func onEachDatabase(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, test)
}

// clockedStore returns a store on the database and the clock that it goes by.
func clockedStore(t testing.TB, db *gorm.DB) (*store.Store, *storetest.Clock) {
	t.Helper()
	clock := storetest.NewClock()
	return storetest.New(t, db, store.Config{Now: clock.Now}), clock
}

// makeWebhook creates a webhook that has a header.
func makeWebhook(t testing.TB, s *store.Store, ownerID string, events ...string) models.Webhook {
	t.Helper()
	return storetest.Webhook(t, s, func(webhook *models.Webhook) {
		webhook.OwnerID, webhook.Events, webhook.Headers = ownerID, events, models.Headers{"X-Team": "a"}
	})
}

// rotate gives a webhook a new secret, which it returns; the old one signs too until the grace ends.
func rotate(t testing.TB, store *store.Store, webhook *models.Webhook, grace time.Duration) string {
	t.Helper()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text()))
	rotated, err := store.RotateSecret(t.Context(), everything, webhook.ID, models.Rotation{Secret: secret, Grace: grace})
	require.NoError(t, err)
	*webhook, err = store.Webhook(t.Context(), everything, webhook.ID)
	require.NoError(t, err)
	require.Equal(t, webhook.Secret, rotated.Secret)
	return secret
}

// attempted records the n-th attempt of a delivery.
func attempted(t testing.TB, store *store.Store, delivery models.Delivery, n int, status models.Status) models.Attempt {
	t.Helper()
	now := store.Now()
	code := 200
	attempt := models.Attempt{
		ID: models.AttemptID(delivery.ID, n, now), DeliveryID: delivery.ID, Number: n, Trigger: models.TriggerSchedule,
		StatusCode: &code, DurationMS: 12, ResponseBody: []byte("ok\xff"), RemoteAddr: "127.0.0.1:80", StartedAt: now,
	}.Of(delivery)
	outcome := models.Outcome{Attempt: attempt, Status: status, RunID: "run"}
	if status != models.StatusDelivered {
		outcome.Attempt.ErrorClass, outcome.Attempt.Error = models.ErrorHTTPStatus, "receiver answered 500"
	}
	if status == models.StatusFailed {
		next := now.Add(time.Minute)
		outcome.NextAttemptAt = &next
	}
	_, err := store.RecordAttempt(context.Background(), outcome)
	require.NoError(t, err)
	return outcome.Attempt
}

func key(n int) *string {
	text := fmt.Sprintf("key-%d", n)
	return &text
}
