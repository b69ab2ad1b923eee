// Package dispatchtest is what the tests of internal/dispatch and of the packages below it share: a Dispatcher with its
// parts, a Temporal that keeps what is asked of it, and a log to look into.
package dispatchtest

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/dispatch"
	"github.com/postrider/postrider/internal/dispatch/first"
	"github.com/postrider/postrider/internal/dispatch/start"
	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// Dispatcher is a Dispatcher with its parts. Close them in the end.
type Dispatcher struct {
	*dispatch.Dispatcher
	Starter *start.Starter
	First   *first.Attempts
}

// New returns a Dispatcher that starts workflows only.
func New(store dispatch.Store, temporal client.Client, logger *slog.Logger) *Dispatcher {
	d := &Dispatcher{Starter: start.New(temporal, logger)}
	d.Dispatcher = dispatch.New(dispatch.Config{Store: store, Starter: d.Starter, Temporal: temporal, Logger: logger})
	return d
}

// Store is what a Dispatcher needs that makes first attempts itself.
type Store interface {
	dispatch.Store
	first.Store
}

// NewAttempting returns a Dispatcher that makes first attempts itself.
func NewAttempting(store Store, temporal client.Client, maker first.Maker, logger *slog.Logger) *Dispatcher {
	d := &Dispatcher{Starter: start.New(temporal, logger)}
	d.First = first.New(maker, store, d.Starter, logger)
	d.Dispatcher = dispatch.New(dispatch.Config{
		Store: store, Starter: d.Starter, Temporal: temporal, FirstAttempts: d.First, Logger: logger,
	})
	return d
}

// Close waits for what is under way.
func (d *Dispatcher) Close() {
	if d.First != nil {
		d.First.Close()
	}
	d.Starter.Close()
}

// Log keeps what is logged. The zero value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Logger returns a logger that writes to the log.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// CreateWebhook stores a webhook that matches everything.
func CreateWebhook(t *testing.T, store *store.Store) models.Webhook {
	t.Helper()
	webhook := models.Webhook{
		OwnerID: models.DefaultOwnerID, URL: "https://example.com/hook", Host: "example.com", Events: []string{"*"}, Active: true,
	}
	require.NoError(t, store.CreateWebhook(t.Context(), &webhook, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	return webhook
}

// PublishOne publishes an event that matches one webhook.
func PublishOne(t *testing.T, store *store.Store) models.Delivery {
	t.Helper()
	published, err := store.Publish(t.Context(), models.Event{Type: "order.paid", Data: []byte(`{}`)})
	require.NoError(t, err)
	require.Len(t, published.Deliveries, 1)
	return published.Deliveries[0]
}
