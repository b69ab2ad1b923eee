package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Owner is who webhooks belong to and who is told when a delivery fails for good.
type Owner struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     *string   `json:"email" doc:"Gets a message about each final failure."`
	SlackURL  *string   `json:"slack_url" doc:"A Slack-compatible incoming webhook that gets the same."`
	Active    bool      `json:"active" doc:"False while suspended: its webhooks and sources get nothing, its keys 403."`
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
		CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
	}
}

type createOwnerInput struct {
	Body struct {
		Name     string `json:"name"`
		Email    string `json:"email,omitempty"`
		SlackURL string `json:"slack_url,omitempty"`
	}
}

type ownerPath struct {
	ID string `path:"id" doc:"The owner's ID."`
}

type updateOwnerInput struct {
	ID   string `path:"id" doc:"The owner's ID."`
	Body struct {
		Name     Patch[string] `json:"name,omitempty"`
		Email    Patch[string] `json:"email,omitempty"`
		SlackURL Patch[string] `json:"slack_url,omitempty"`
		Active   Patch[bool]   `json:"active,omitempty" doc:"False suspends; true lets the owner go on."`
	}
}

func (s *server) registerOwners(api huma.API) {
	const tag = "Owners"
	huma.Register(api, operation("create-owner", http.MethodPost, "/owners", tag, "Create an owner", http.StatusCreated, 403), s.createOwner)
	huma.Register(api, operation("list-owners", http.MethodGet, "/owners", tag, "List owners", http.StatusOK, 403), s.listOwners)
	huma.Register(api, operation("get-owner", http.MethodGet, "/owners/{id}", tag, "Show an owner", http.StatusOK, 403, 404), s.getOwner)
	huma.Register(api, operation("update-owner", http.MethodPatch, "/owners/{id}", tag, "Change an owner", http.StatusOK, 403, 404), s.updateOwner)
	huma.Register(api, operation("delete-owner", http.MethodDelete, "/owners/{id}", tag, "Delete an owner and all that it has", http.StatusAccepted, 403, 404, 409), s.deleteOwner)
}

func (s *server) createOwner(ctx context.Context, in *createOwnerInput) (*Output[Owner], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	owner := models.Owner{Name: stored(in.Body.Name), Email: in.Body.Email, SlackURL: in.Body.SlackURL}
	if err := checkOwner(&owner, models.Owner{}, s.judge(ctx)); err != nil {
		return nil, err
	}
	if err := s.Store.CreateOwner(ctx, &owner); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &Output[Owner]{ownerObject(owner)}, nil
}

// checkOwner checks what a call makes of the owner that was there before, and stores its URL as it goes out.
func checkOwner(owner *models.Owner, before models.Owner, by judge) error {
	var wrong faults
	if name := strings.TrimSpace(owner.Name); name == "" || len(owner.Name) > 200 || strings.ContainsFunc(name, isControl) {
		wrong.add("body.name", "expected a name of 1 to 200 bytes on one line")
	} else if fault := unseen(owner.Name, false); fault != "" && owner.Name != before.Name {
		wrong.add("body.name", fault)
	}
	if owner.Email != "" && owner.Email != before.Email {
		if err := by.CheckEmail(owner.Email); err != nil {
			wrong.add("body.email", by.explain(err))
		}
	}
	if owner.SlackURL != "" && owner.SlackURL != before.SlackURL {
		stored, _, err := by.CheckURL(owner.SlackURL)
		if err != nil {
			wrong.add("body.slack_url", by.explain(err))
		}
		owner.SlackURL = stored
	}
	return wrong.err()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (s *server) listOwners(ctx context.Context, in *PageQuery) (*ListOutput[Owner], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	owners, next, err := s.Store.Owners(ctx, in.page())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return listOf(owners, next, ownerObject), nil
}

func (s *server) getOwner(ctx context.Context, in *ownerPath) (*Output[Owner], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(typeid.KindOwner, "owner", in.ID); err != nil {
		return nil, err
	}
	owner, err := s.Store.Owner(ctx, in.ID)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "owner", in.ID))
	}
	return &Output[Owner]{ownerObject(owner)}, nil
}

func (s *server) updateOwner(ctx context.Context, in *updateOwnerInput) (*Output[Owner], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(typeid.KindOwner, "owner", in.ID); err != nil {
		return nil, err
	}
	owner, err := s.Store.UpdateOwner(ctx, in.ID, func(owner *models.Owner) error {
		before := *owner
		in.Body.Name.to(&owner.Name)
		owner.Name = stored(owner.Name)
		in.Body.Email.to(&owner.Email)
		in.Body.SlackURL.to(&owner.SlackURL)
		if in.Body.Active.Null {
			return invalid("body.active", "expected true or false")
		}
		in.Body.Active.to(&owner.Active)
		return checkOwner(owner, before, s.judge(ctx))
	})
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "owner", in.ID))
	}
	return &Output[Owner]{ownerObject(owner)}, nil
}

func (s *server) deleteOwner(ctx context.Context, in *ownerPath) (*Output[OwnerDeletion], error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkID(typeid.KindOwner, "owner", in.ID); err != nil {
		return nil, err
	}
	owner, err := s.Dispatcher.DeleteOwner(ctx, in.ID)
	if err != nil {
		return nil, s.fail(ctx, orNotFound(err, "owner", in.ID))
	}
	id := contract.OwnerDeletionID(owner.ID)
	return &Output[OwnerDeletion]{OwnerDeletion{
		ID: owner.ID, DeletedAt: owner.DeletedAt.UTC(), Workflow: Workflow{ID: id, URL: orNull(s.WorkflowURL(id, ""))},
	}}, nil
}
