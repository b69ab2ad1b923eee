package api

import (
	"context"
	"net/http"

	"github.com/postrider/postrider/internal/service"
	"github.com/postrider/postrider/models"
)

// Named is what things are called by those who use them, and what these keep with them.
type Named struct {
	ExternalID *string           `json:"external_id" doc:"The user's own name for it; null for none."`
	Metadata   map[string]string `json:"metadata" doc:"Short texts that are kept with it."`
}

// metadataObject is never null.
func metadataObject(metadata models.Metadata) map[string]string {
	if metadata == nil {
		return map[string]string{}
	}
	return metadata
}

// Naming is the part of a body that names what is made.
type Naming struct {
	ExternalID *string           `json:"external_id,omitempty" doc:"Your own name for it: at most 128 letters, digits and - _ . : @ + | ~, and not like an ID."`
	Metadata   map[string]string `json:"metadata,omitempty" nullable:"true" doc:"Kept with it: at most 20 texts of at most 255 characters, 4 KiB with their names."`
}

// NameQuery is the part of a list that asks for one by its name.
type NameQuery struct {
	ExternalID []string `query:"external_id" maxItems:"20" doc:"Only what its owner calls so."`
}

// PatchNaming is the part of a merge patch that changes names.
type PatchNaming struct {
	ExternalID Patch[string]             `json:"external_id,omitempty" doc:"Null for none."`
	Metadata   Patch[map[string]*string] `json:"metadata,omitempty" doc:"A merge patch too: a text sets the value, null removes it, and those left out stay; null instead of the object removes all."`
}

type putOwnerInput struct {
	ID   string `path:"id" doc:"The owner's external_id. An owner's ID will do too, for one that is there."`
	Body struct {
		Name     string            `json:"name"`
		Email    string            `json:"email,omitempty" doc:"Removed when left out, as are the others."`
		SlackURL string            `json:"slack_url,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty" nullable:"true" doc:"Kept with it: at most 20 texts of at most 255 characters, 4 KiB with their names."`
	}
}

// putOutput says with its status whether something was made.
type putOutput[T any] struct {
	Status int
	Body   T
}

func (s *server) putOwner(ctx context.Context, who service.Caller, in *putOwnerInput) (*putOutput[Owner], error) {
	owner, made, err := s.Service.PutOwner(ctx, who, in.ID, models.Owner{
		Name: in.Body.Name, Email: in.Body.Email, SlackURL: in.Body.SlackURL, Metadata: in.Body.Metadata,
	})
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return &putOutput[Owner]{status, ownerObject(owner)}, err
}
