package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Owner is who webhooks belong to and who is told when a delivery fails for good.
type Owner struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Email    *string `json:"email" doc:"Gets a message about each final failure."`
	SlackURL *string `json:"slack_url" doc:"A Slack-compatible incoming webhook that gets the same."`
	Active   bool    `json:"active" doc:"False while suspended: its webhooks and sources get nothing, its keys 403."`
	Named
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// OwnerDeletion says that an owner is deleted, and where to see what it had go.
type OwnerDeletion struct {
	ID        string    `json:"id"`
	DeletedAt time.Time `json:"deleted_at"`
	Workflow  Workflow  `json:"workflow"`
}

func ownerObject(o models.Owner) Owner {
	return Owner{
		ID: o.ID, Name: o.Name, Email: orNull(o.Email), SlackURL: orNull(o.SlackURL), Active: o.Active,
		Named:     Named{ExternalID: o.ExternalID, Metadata: metadataObject(o.Metadata)},
		CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
	}
}

type createOwnerInput struct {
	Body struct {
		Name     string `json:"name"`
		Email    string `json:"email,omitempty"`
		SlackURL string `json:"slack_url,omitempty"`
		Naming
	}
}

type ownerPath struct {
	ID string `path:"id" doc:"The owner's ID, or its external_id."`
}

type updateOwnerInput struct {
	ID   string `path:"id" doc:"The owner's ID, or its external_id."`
	Body struct {
		Name     Patch[string] `json:"name,omitempty"`
		Email    Patch[string] `json:"email,omitempty"`
		SlackURL Patch[string] `json:"slack_url,omitempty"`
		Active   Patch[bool]   `json:"active,omitempty" doc:"False suspends; true lets the owner go on."`
		PatchNaming
	}
}

func (s *server) registerOwners(api huma.API) {
	const tag = "Owners"
	register(s, api, operation{
		ID: "create-owner", InOneCommit: true, Method: http.MethodPost, Path: "/owners", Tag: tag,
		Summary: "Create an owner", Status: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusConflict},
	}, s.createOwner)
	register(s, api, operation{
		ID: "list-owners", Method: http.MethodGet, Path: "/owners", Tag: tag,
		Summary: "List owners", Status: http.StatusOK, Errors: []int{http.StatusForbidden},
	}, s.listOwners)
	register(s, api, operation{
		ID: "get-owner", Method: http.MethodGet, Path: "/owners/{id}", Tag: tag,
		Summary: "Show an owner", Status: http.StatusOK, Errors: []int{http.StatusForbidden, http.StatusNotFound},
	}, s.getOwner)
	register(s, api, operation{
		ID: "update-owner", Method: http.MethodPatch, Path: "/owners/{id}", Tag: tag,
		Summary: "Change an owner", Status: http.StatusOK, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.updateOwner)
	register(s, api, operation{
		ID: "put-owner", Method: http.MethodPut, Path: "/owners/{id}", Tag: tag, Summary: "Create or replace an owner by its external_id",
		Status: http.StatusOK, AlsoCreates: true, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.putOwner)
	register(s, api, operation{
		ID: "delete-owner", Method: http.MethodDelete, Path: "/owners/{id}", Tag: tag,
		Summary: "Delete an owner and all that it has", Status: http.StatusAccepted, Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}, s.deleteOwner)
}

func (s *server) createOwner(ctx context.Context, who service.Caller, in *createOwnerInput) (*Output[Owner], error) {
	owner, err := s.Service.CreateOwner(ctx, who, models.Owner{
		Name: in.Body.Name, Email: in.Body.Email, SlackURL: in.Body.SlackURL, ExternalID: in.Body.ExternalID, Metadata: in.Body.Metadata,
	})
	return &Output[Owner]{ownerObject(owner)}, err
}

func (s *server) listOwners(ctx context.Context, who service.Caller, in *PageQuery) (*ListOutput[Owner], error) {
	owners, beside, err := s.Service.ListOwners(ctx, who, in.page())
	return listOf(owners, beside, ownerObject), err
}

func (s *server) getOwner(ctx context.Context, who service.Caller, in *ownerPath) (*Output[Owner], error) {
	owner, err := s.Service.GetOwner(ctx, who, in.ID)
	return &Output[Owner]{ownerObject(owner)}, err
}

func (s *server) updateOwner(ctx context.Context, who service.Caller, in *updateOwnerInput) (*Output[Owner], error) {
	owner, err := s.Service.UpdateOwner(ctx, who, in.ID, service.OwnerPatch{
		Name: in.Body.Name.Patch, Email: in.Body.Email.Patch, SlackURL: in.Body.SlackURL.Patch, Active: in.Body.Active.Patch,
		ExternalID: in.Body.ExternalID.Patch, Metadata: in.Body.Metadata.Patch,
	})
	return &Output[Owner]{ownerObject(owner)}, err
}

func (s *server) deleteOwner(ctx context.Context, who service.Caller, in *ownerPath) (*Output[OwnerDeletion], error) {
	deletion, err := s.Service.DeleteOwner(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	return &Output[OwnerDeletion]{OwnerDeletion{
		ID: deletion.OwnerID, DeletedAt: deletion.At.UTC(),
		Workflow: Workflow{ID: deletion.WorkflowID, URL: orNull(s.WorkflowURL(deletion.WorkflowID, ""))},
	}}, nil
}
