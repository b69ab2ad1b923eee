package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/api"
	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// hangingStore answers nothing before it is told to stop, like a database whose connections are all taken.
type hangingStore struct{ service.Store }

func (hangingStore) Webhooks(ctx context.Context, _ models.Scope, _ models.WebhookFilter, _ models.Page) ([]models.Webhook, models.Cursors, error) {
	<-ctx.Done()
	return nil, models.Cursors{}, ctx.Err()
}

func TestADatabaseThatHangsIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		handler := newAPI(config{
			Config:  api.Config{Logger: slog.New(slog.DiscardHandler)},
			Service: service.Config{Store: hangingStore{}, AdminKey: "an-administrators-key"},
		})
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/webhooks", nil)
		request.Header.Set("Authorization", "Bearer an-administrators-key")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		require.Equal(t, http.StatusServiceUnavailable, answer.Code)
		require.NotEmpty(t, answer.Header().Get("Retry-After"))
		require.Contains(t, answer.Body.String(), "the database is not available at present")
	})
}
