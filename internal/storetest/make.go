package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/models"
)

// Secret is the secret of Webhook's webhooks.
const Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA=" //nolint:gosec // made up, for tests

// Owner creates an owner.
func Owner(t testing.TB, s *store.Store, name string) models.Owner {
	t.Helper()
	owner := models.Owner{Name: name, Email: name + "@example.com"}
	require.NoError(t, s.CreateOwner(t.Context(), &owner))
	return owner
}

// Webhook creates a webhook of the default owner that is active and gets every event, unless change says otherwise.
func Webhook(t testing.TB, s *store.Store, change ...func(*models.Webhook)) models.Webhook {
	t.Helper()
	webhook := models.Webhook{
		OwnerID: models.DefaultOwnerID, URL: "https://example.com/hook", Host: "example.com", Events: []string{"*"}, Active: true,
	}
	for _, change := range change {
		change(&webhook)
	}
	require.NoError(t, s.CreateWebhook(t.Context(), &webhook, Secret))
	return webhook
}

// Publish publishes an event.
func Publish(t testing.TB, s *store.Store, event models.Event) models.Published {
	t.Helper()
	published, err := s.Publish(t.Context(), event)
	require.NoError(t, err)
	return published
}
