package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/keyring"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/models"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA="

// onEach runs a test on every kind of database, each with a migrated, empty database of its own.
func onEach(t *testing.T, test func(t *testing.T, store *store.Store)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		test(t, openStore(t, url))
	})
}

// onEachDatabase is onEach for tests that look behind the store.
func onEachDatabase(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		test(t, openDatabase(t, url))
	})
}

func openStore(t testing.TB, url string) *store.Store {
	t.Helper()
	return store.New(openDatabase(t, url), store.Config{Keyring: newKeyring(t)})
}

// openDatabase opens a database with the newest schema.
func openDatabase(t testing.TB, url string) *gorm.DB {
	t.Helper()
	db, err := store.Open(url, 10)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	dialect, _, _ := strings.Cut(url, "://")
	_, err = migrations.Up(t.Context(), pool, dialect)
	require.NoError(t, err)
	return db
}

// clock is a clock that stands still until it is set.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set(time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC))
	return c
}

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()).UTC() }

func (c *clock) set(at time.Time) { c.ms.Store(at.UnixMilli()) }

func (c *clock) advance(by time.Duration) { c.ms.Add(by.Milliseconds()) }

// clockedStore returns a store on the database and the clock that it goes by.
func clockedStore(t testing.TB, db *gorm.DB) (*store.Store, *clock) {
	t.Helper()
	clock := newClock()
	return store.New(db, store.Config{Keyring: newKeyring(t), Now: clock.now}), clock
}

// newKeyring always returns a ring with the same key.
func newKeyring(t testing.TB) *keyring.Keyring {
	t.Helper()
	ring, err := keyring.New(bytes.Repeat([]byte{7}, keyring.KeyBytes))
	require.NoError(t, err)
	return ring
}

func makeOwner(t testing.TB, store *store.Store, name string) models.Owner {
	t.Helper()
	owner := models.Owner{Name: name, Email: name + "@example.com"}
	require.NoError(t, store.CreateOwner(t.Context(), &owner))
	return owner
}

func makeWebhook(t testing.TB, store *store.Store, ownerID string, events ...string) models.Webhook {
	t.Helper()
	webhook := models.Webhook{
		OwnerID: ownerID, URL: "https://example.com/hook", Host: "example.com", Events: events,
		Headers: map[string]string{"X-Team": "a"}, Active: true,
	}
	require.NoError(t, store.CreateWebhook(t.Context(), &webhook, testSecret))
	return webhook
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

func publish(t testing.TB, store *store.Store, event models.Event) models.Published {
	t.Helper()
	published, err := store.Publish(t.Context(), event)
	require.NoError(t, err)
	return published
}

// attempted records the n-th attempt of a delivery.
func attempted(t testing.TB, store *store.Store, delivery models.Delivery, n int, status models.Status) models.Attempt {
	t.Helper()
	now := store.Now()
	code := 200
	attempt := models.Attempt{
		ID: models.AttemptID(delivery.ID, n, now), DeliveryID: delivery.ID, Number: n, Trigger: models.TriggerSchedule,
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
	_, err := store.RecordAttempt(context.Background(), outcome)
	require.NoError(t, err)
	return outcome.Attempt
}

func key(n int) *string {
	text := fmt.Sprintf("key-%d", n)
	return &text
}

// ringOf returns a ring of keys that the numbers stand for.
func ringOf(t *testing.T, numbers ...byte) *keyring.Keyring {
	t.Helper()
	var keys [][]byte
	for _, number := range numbers {
		keys = append(keys, bytes.Repeat([]byte{number}, keyring.KeyBytes))
	}
	ring, err := keyring.New(keys...)
	require.NoError(t, err)
	return ring
}
