package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// maxKeyLife bounds how long a key with an end may live: ten years.
const maxKeyLife = 10 * 365 * 24 * time.Hour

// OwnerKey is an owner's key, without the key itself.
type OwnerKey struct {
	ID         string     `json:"id"`
	OwnerID    string     `json:"owner_id"`
	Prefix     string     `json:"prefix" doc:"How the key begins."`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at" doc:"When the key ends; null when it does not."`
	LastUsedAt *time.Time `json:"last_used_at" doc:"When the key was last used, to the minute; null when it never was."`
}

// NewKey is a key as it is shown only once.
type NewKey struct {
	OwnerKey
	Key string `json:"key" doc:"It is shown only here."`
}

func keyObject(key models.APIKey) OwnerKey {
	return OwnerKey{
		ID: key.ID, OwnerID: key.OwnerID, Prefix: key.Prefix, CreatedAt: key.CreatedAt.UTC(),
		ExpiresAt: inUTC(key.ExpiresAt), LastUsedAt: inUTC(key.LastUsedAt),
	}
}

type keyPath struct {
	ID string `path:"id" doc:"The key's ID."`
}

type createKeyInput struct {
	ID   string    `path:"id" doc:"The owner's ID."`
	Body *keyTerms `required:"false"`
}

type keyTerms struct {
	ExpiresIn Duration `json:"expires_in,omitempty" doc:"How long the key lives, such as 720h, 30d or a number of seconds."`
	ExpiresAt *Time    `json:"expires_at,omitempty" doc:"When the key ends, instead of expires_in. Without both it has no end."`
}

// end returns when a key with these terms ends; nil for never.
func (t *keyTerms) end(now time.Time) (*time.Time, error) {
	if t == nil || (!t.ExpiresIn.Set && t.ExpiresAt == nil) {
		return nil, nil //nolint:nilnil // no end is no error
	}
	if t.ExpiresIn.Set && t.ExpiresAt != nil {
		return nil, invalid("body.expires_at", "expected either expires_in or expires_at")
	}
	if t.ExpiresAt != nil {
		if life := t.ExpiresAt.Sub(now); life <= 0 || life > maxKeyLife {
			return nil, invalid("body.expires_at", "expected a time in the next ten years")
		}
		return &t.ExpiresAt.Time, nil
	}
	var wrong faults
	end := now.Add(wrong.duration("body.expires_in", t.ExpiresIn, time.Second, maxKeyLife))
	return &end, wrong.err()
}

type listKeysInput struct {
	ID string `path:"id" doc:"The owner's ID."`
	PageQuery
}

func (s *server) registerKeys(api huma.API) {
	const tag = "Keys"
	huma.Register(api, operation("create-key", http.MethodPost, "/owners/{id}/keys", tag, "Create a key for an owner", http.StatusCreated, 403, 404, 409), s.createKey)
	huma.Register(api, operation("list-keys", http.MethodGet, "/owners/{id}/keys", tag, "List an owner's keys", http.StatusOK, 403, 404), s.listKeys)
	huma.Register(api, operation("delete-key", http.MethodDelete, "/keys/{id}", tag, "Revoke a key", http.StatusNoContent, 403, 404, 409), s.deleteKey)
}

func (s *server) createKey(ctx context.Context, in *createKeyInput) (*Output[NewKey], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(typeid.KindOwner, "owner", in.ID); err != nil {
		return nil, err
	}
	end, err := in.Body.end(s.Now())
	if err != nil {
		return nil, err
	}
	key, token, err := s.Store.CreateAPIKeyUntil(ctx, in.ID, end)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "owner", in.ID))
	}
	return &Output[NewKey]{NewKey{OwnerKey: keyObject(key), Key: token}}, nil
}

func (s *server) listKeys(ctx context.Context, in *listKeysInput) (*ListOutput[OwnerKey], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(typeid.KindOwner, "owner", in.ID); err != nil {
		return nil, err
	}
	keys, next, err := s.Store.OwnerAPIKeys(ctx, in.ID, in.page())
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "owner", in.ID))
	}
	return listOf(keys, next, keyObject), nil
}

func (s *server) deleteKey(ctx context.Context, in *keyPath) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(typeid.KindKey, "key", in.ID); err != nil {
		return nil, err
	}
	revoke := s.Store.RevokeAPIKey
	if s.adminKeyHash != nil {
		revoke = s.Store.RevokeAnyAPIKey // the configured key is left
	}
	if err := revoke(ctx, in.ID); err != nil {
		return nil, s.fail(ctx, orNotFound(err, "key", in.ID))
	}
	return nil, nil //nolint:nilnil // 204 has no body
}
