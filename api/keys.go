package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/models"
)

// NewKey is an API key, shown only once.
type NewKey struct {
	ID        string    `json:"id"`
	OwnerID   string    `json:"owner_id"`
	Key       string    `json:"key" doc:"It is shown only here."`
	Prefix    string    `json:"prefix" doc:"How the key begins."`
	CreatedAt time.Time `json:"created_at"`
}

type keyPath struct {
	ID string `path:"id" doc:"The key's ID."`
}

func (s *server) registerKeys(api huma.API) {
	const tag = "Keys"
	huma.Register(api, operation("create-key", http.MethodPost, "/owners/{id}/keys", tag, "Create a key for an owner", http.StatusCreated, 403, 404), s.createKey)
	huma.Register(api, operation("delete-key", http.MethodDelete, "/keys/{id}", tag, "Revoke a key", http.StatusNoContent, 403, 404), s.deleteKey)
}

func (s *server) createKey(ctx context.Context, in *ownerPath) (*Output[NewKey], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(models.KindOwner, "owner", in.ID); err != nil {
		return nil, err
	}
	key, token, err := s.Store.CreateAPIKey(ctx, in.ID)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "owner", in.ID))
	}
	return &Output[NewKey]{NewKey{
		ID: key.ID, OwnerID: key.OwnerID, Key: token, Prefix: key.Prefix, CreatedAt: key.CreatedAt.UTC(),
	}}, nil
}

func (s *server) deleteKey(ctx context.Context, in *keyPath) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(models.KindKey, "key", in.ID); err != nil {
		return nil, err
	}
	if err := s.Store.RevokeAPIKey(ctx, in.ID); err != nil {
		return nil, s.fail(ctx, orNotFound(err, "key", in.ID))
	}
	return nil, nil //nolint:nilnil // 204 has no body
}
