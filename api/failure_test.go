package api_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/testdb"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// brokenStore fails in a way that nobody foresaw, or panics: the calls that it lacks are nil.
type brokenStore struct {
	service.Store
	err error
}

func (b brokenStore) Webhook(context.Context, models.Scope, string) (models.Webhook, error) {
	return models.Webhook{}, b.err
}

func (b brokenStore) APIKeyByHash(context.Context, []byte) (models.APIKey, error) {
	return models.APIKey{}, b.err
}

func TestUnforeseenErrorsAreLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	s := newService(t, func(cfg *config) {
		cfg.Service.Store = brokenStore{err: errors.New(`relation "webhooks" on 10.1.2.3 is broken`)}
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	path := "/api/webhooks/" + typeid.New(typeid.KindWebhook, s.store.Now())
	for what, reply := range map[string]reply{
		"of a call":            s.call(adminKey, "GET", path, ""),
		"of the check of keys": s.call("prk_x", "GET", path, ""),
		"a panic":              s.call(adminKey, "GET", "/api/webhooks", ""),
	} {
		require.NotContains(t, reply.body, "10.1.2.3", what)
		require.NotContains(t, reply.body, "nil pointer", what)
		reply.problem(http.StatusInternalServerError, "internal")
	}
	require.Contains(t, log.String(), "10.1.2.3")
	require.Contains(t, log.String(), "panic in a handler")
	require.Contains(t, log.String(), "nil pointer")
	require.NotContains(t, log.String(), "prk_")
	s.call("", "GET", "/healthz", "").is(http.StatusOK)
}

func TestDatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	s := newServiceOn(t, storetest.Database(t, cluster.URL()))
	_, key := s.owner("a")
	id := s.webhook(key, "*")
	_, deliveryID := s.delivery(key, "a")
	require.NoError(t, cluster.Kill())

	for _, call := range [][4]string{
		{key, "GET", "/api/webhooks", ""},
		{adminKey, "GET", "/api/webhooks", ""},
		{adminKey, "GET", "/api/webhooks/" + id, ""},
		{adminKey, "PATCH", "/api/webhooks/" + id, `{"active":false}`},
		{adminKey, "POST", "/api/webhooks", `{"url":"https://example.com","events":["a"]}`},
		{adminKey, "POST", "/api/webhooks/" + id + "/test", ""},
		{adminKey, "POST", "/api/events", `{"event":"a","data":1}`},
		{adminKey, "GET", "/api/deliveries/" + deliveryID, ""},
		{adminKey, "POST", "/api/deliveries/" + deliveryID + "/resend", ""},
		{adminKey, "GET", "/api/owners", ""},
		{"", "POST", "/webhooks/" + typeid.New(typeid.KindSource, s.store.Now()), `{}`},
	} {
		reply := s.call(call[0], call[1], call[2], call[3])
		problem := reply.problem(http.StatusServiceUnavailable, "unavailable")
		require.Contains(t, problem.Detail, "the database is not available", call)
		require.Equal(t, "5", reply.header.Get("Retry-After"), call)
	}
	s.call("", "GET", "/healthz", "").is(http.StatusOK)

	require.NoError(t, cluster.Start())
	s.admin(http.StatusOK, "GET", "/api/webhooks/"+id, "")
}

type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
