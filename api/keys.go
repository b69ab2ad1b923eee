package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// OwnerKey is an owner's key, without the key itself.
type OwnerKey struct {
	ID         string     `json:"id"`
	OwnerID    string     `json:"owner_id"`
	Role       string     `json:"role" enum:"full,publish,read" doc:"What it is for."`
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
		ID: key.ID, OwnerID: key.OwnerID, Role: string(key.Role), Prefix: key.Prefix, CreatedAt: key.CreatedAt.UTC(),
		ExpiresAt: inUTC(key.ExpiresAt), LastUsedAt: inUTC(key.LastUsedAt),
	}
}

type keyPath struct {
	ID string `path:"id" doc:"The key's ID."`
}

type createKeyInput struct {
	ID   string    `path:"id" doc:"The owner's ID, or its external_id."`
	Body *keyTerms `required:"false"`
}

type keyTerms struct {
	Role      string   `json:"role,omitempty" enum:"full,publish,read" doc:"What the key is for: publish for publishing events only, read for looking at everything but header values; full when left out."`
	ExpiresIn Duration `json:"expires_in,omitempty" doc:"How long the key lives, such as 720h, 30d or a number of seconds."`
	ExpiresAt *Time    `json:"expires_at,omitempty" doc:"When the key ends, instead of expires_in. Without both it has no end."`
}

// role is empty when none is asked for.
func (t *keyTerms) role() models.Role {
	if t == nil {
		return ""
	}
	return models.Role(t.Role)
}

// end says when a key with these terms ends.
func (t *keyTerms) end() service.KeyEnd {
	if t == nil {
		return service.KeyEnd{}
	}
	end := service.KeyEnd{ExpiresIn: t.ExpiresIn.Duration}
	if t.ExpiresAt != nil {
		end.ExpiresAt = &t.ExpiresAt.Time
	}
	return end
}

type listKeysInput struct {
	ID string `path:"id" doc:"The owner's ID, or its external_id."`
	PageQuery
}

func (s *server) registerKeys(api huma.API) {
	const tag = "Keys"
	register(s, api, operation{
		ID: "create-key", InOneCommit: true, Method: http.MethodPost, Path: "/owners/{id}/keys", Tag: tag,
		Summary: "Create a key for an owner", Status: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.createKey)
	register(s, api, operation{
		ID: "list-keys", Method: http.MethodGet, Path: "/owners/{id}/keys", Tag: tag,
		Summary: "List an owner's keys", Status: http.StatusOK, Errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, s.listKeys)
	register(s, api, operation{
		ID: "delete-key", Method: http.MethodDelete, Path: "/keys/{id}", Tag: tag,
		Summary: "Revoke a key", Status: http.StatusNoContent, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.deleteKey)
}

func (s *server) createKey(ctx context.Context, who service.Caller, in *createKeyInput) (*Output[NewKey], error) {
	key, text, err := s.Service.CreateKey(ctx, who, in.ID, in.Body.role(), in.Body.end())
	return &Output[NewKey]{NewKey{OwnerKey: keyObject(key), Key: text}}, err
}

func (s *server) listKeys(ctx context.Context, who service.Caller, in *listKeysInput) (*ListOutput[OwnerKey], error) {
	keys, beside, err := s.Service.ListKeys(ctx, who, in.ID, in.page())
	return listOf(keys, beside, keyObject), err
}

func (s *server) deleteKey(ctx context.Context, who service.Caller, in *keyPath) (*struct{}, error) {
	return nil, s.Service.DeleteKey(ctx, who, in.ID)
}
