package service

import (
	"context"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

type ownerPutStore interface {
	PutOwner(ctx context.Context, externalID string, change func(*models.Owner) error) (owner models.Owner, made bool, err error)
}

// PutOwner makes the owner with a name, or gives the one that is there the name, addresses and metadata that the call has:
// what it leaves out is removed. made says that it was made. Whether the owner is suspended stays as it is. One that is
// named by its ID is only changed.
func (s *Service) PutOwner(ctx context.Context, who Caller, name string, given models.Owner) (owner models.Owner, made bool, err error) {
	change := func(owner *models.Owner) error {
		before := *owner
		owner.Name, owner.Email, owner.SlackURL, owner.Metadata = tidy(given.Name), given.Email, given.SlackURL, given.Metadata
		return checkOwner(owner, before, judge{s.targets, who})
	}
	switch {
	case onlyAdmins(who) != nil:
		return models.Owner{}, false, ErrAdminsOnly
	case models.IsExternalID(name, ownerPrefix):
		owner, made, err = s.store.PutOwner(ctx, name, change)
	case typeid.Check(typeid.KindOwner, name) == nil:
		owner, err = loadOwner(ctx, s, who, name, func(ctx context.Context, id string) (models.Owner, error) {
			return s.store.UpdateOwner(ctx, id, change)
		})
	default:
		err = invalid("id", externalIDFault(name, ownerPrefix))
	}
	if err == nil {
		s.audit(ctx, who, "put-owner", owner.ID, owner.ID)
	}
	return owner, made, err
}
