package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Owners are named by their ID, own_…, or by the publisher's own name for them, external_id. What a call says is turned
// into an owner here alone. To an owner's key, only that owner is there.

type ownerNameStore interface {
	OwnerNamed(ctx context.Context, name string) (models.Owner, error)
}

const unknownOwner = "there is no owner with this ID or external_id"

// The prefixes that an external_id must not have.
const (
	ownerPrefix   = string(typeid.KindOwner) + "_"
	webhookPrefix = string(typeid.KindWebhook) + "_"
)

// ownerNamed returns the owner that a call names, or models.ErrNotFound. It asks the database once at most.
func (s *Service) ownerNamed(ctx context.Context, who Caller, name string) (models.Owner, error) {
	isID := typeid.Check(typeid.KindOwner, name) == nil
	if !isID && !models.IsExternalID(name, ownerPrefix) || isID && !who.Admin() && name != who.OwnerID {
		return models.Owner{}, models.ErrNotFound
	}
	owner, err := s.store.OwnerNamed(ctx, name)
	if err == nil && !who.Admin() && owner.ID != who.OwnerID {
		return models.Owner{}, models.ErrNotFound
	}
	return owner, err
}

// ownerOf returns the ID of whose thing is made: of the owner that is named, or of the caller.
func (s *Service) ownerOf(ctx context.Context, who Caller, name string, wrong *faults) (string, error) {
	switch {
	case name == "" && who.Admin():
		return models.DefaultOwnerID, nil
	case name == "", name == who.OwnerID:
		return who.OwnerID, nil
	}
	owner, err := s.ownerNamed(ctx, who, name)
	if errors.Is(err, models.ErrNotFound) {
		wrong.add("owner_id", unknownOwner)
		return who.OwnerID, nil // what else is checked tells nothing of the other owner
	}
	return owner.ID, err
}

// ownerFilter turns the owners that a list is narrowed to into IDs. Nothing is found of an owner that is not there.
func (s *Service) ownerFilter(ctx context.Context, who Caller, names *[]string) error {
	ids := make([]string, len(*names))
	for i, name := range *names {
		switch ids[i] = name; {
		case typeid.Check(typeid.KindOwner, name) == nil:
			continue
		case !models.IsExternalID(name, ownerPrefix):
			return invalid("owner_id", "expected own_ and 26 letters and digits, or an external_id, or several of them with commas between")
		}
		owner, err := s.ownerNamed(ctx, who, name)
		if err == nil {
			ids[i] = owner.ID
		} else if !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	*names = ids
	return nil
}

// loadOwner is loadForAdmin for what is asked of an owner that a path names.
func loadOwner[T any](ctx context.Context, s *Service, who Caller, name string, get func(ctx context.Context, id string) (T, error)) (T, error) {
	if typeid.Check(typeid.KindOwner, name) == nil || !who.Admin() {
		return loadForAdmin(ctx, who, typeid.KindOwner, name, get)
	}
	var none T
	if !models.IsExternalID(name, ownerPrefix) {
		return none, &NotFoundError{Kind: typeid.KindOwner, ID: name, Malformed: true}
	}
	owner, err := s.ownerNamed(ctx, who, name)
	thing := none
	if err == nil {
		thing, err = get(ctx, owner.ID)
	}
	if errors.Is(err, models.ErrNotFound) {
		return none, &NotFoundError{Kind: typeid.KindOwner, ID: name}
	}
	return thing, err
}

// externalID checks an external_id, unless there is none.
func (f *faults) externalID(id *string, prefix string) {
	if id != nil && !models.IsExternalID(*id, prefix) {
		f.add("external_id", externalIDFault(*id, prefix))
	}
}

// checkNameFilter refuses an external_id in a list's filter that cannot be one.
func checkNameFilter(ids []string) error {
	for _, id := range ids {
		if !models.IsExternalID(id, webhookPrefix) {
			return invalid("external_id", externalIDFault(id, webhookPrefix))
		}
	}
	return nil
}

// externalIDFault says why a text cannot be an external_id.
func externalIDFault(id, prefix string) string {
	if strings.HasPrefix(strings.ToLower(id), prefix) {
		return "must not begin with " + prefix + ", as IDs do"
	}
	return fmt.Sprintf("expected 1 to %d letters, digits and - _ . : @ + | ~, beginning with a letter or a digit", models.MaxExternalID)
}

// toOptional assigns a new text; null removes it.
func toOptional(p Patch[string], target **string) {
	switch {
	case p.Null:
		*target = nil
	case p.Set:
		*target = &p.Value
	}
}
