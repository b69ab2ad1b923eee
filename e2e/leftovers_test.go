package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/models"
)

// TestLeftoversAreWrittenAtStop stops the process right after a key was used and a webhook refused: what is
// written off the requests' path is in the database when it has ended.
func TestLeftoversAreWrittenAtStop(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *installation) {
		owner := p.newOwner(t, nil)
		from := p.newSource(t, owner)
		var made struct{ ID, Key string }
		p.call(t, http.MethodPost, "/api/owners/"+owner+"/keys", nil, http.StatusCreated, &made)
		bearer := *p
		bearer.adminKey = made.Key
		bearer.call(t, http.MethodGet, "/api/webhooks", nil, http.StatusOK, nil)
		code, _, err := p.ask(t, http.MethodPost, "/webhooks/"+from.ID, object{}, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, code)
		p.postrider.terminate(t)
		require.Zero(t, p.terminated(t))

		store := p.store(t)
		key, err := store.APIKeyByHash(t.Context(), models.HashAPIKey(made.Key))
		require.NoError(t, err)
		require.NotNil(t, key.LastUsedAt)
		source, err := store.Source(t.Context(), models.Scope{}, from.ID)
		require.NoError(t, err)
		require.EqualValues(t, 1, source.Rejected)
	})
}
