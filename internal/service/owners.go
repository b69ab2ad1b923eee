package service

import (
	"context"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

type ownerStore interface {
	CreateOwner(ctx context.Context, owner *models.Owner) error
	Owner(ctx context.Context, id string) (models.Owner, error)
	Owners(ctx context.Context, page models.Page) ([]models.Owner, models.Cursors, error)
	FindOwners(ctx context.Context, text string, most int) ([]models.Owner, error)
	OwnerUsages(ctx context.Context, ids []string) (map[string]models.OwnerUsage, error)
	OwnerNames(ctx context.Context, ids []string) (map[string]string, error)
	UpdateOwner(ctx context.Context, id string, change func(*models.Owner) error) (models.Owner, error)
}

type ownerDispatcher interface {
	DeleteOwner(ctx context.Context, id string) (models.Owner, error)
}

// CreateOwner makes an active owner. The caller gives the name, and perhaps the mail address, the Slack URL, the external ID
// and metadata.
func (s *Service) CreateOwner(ctx context.Context, who Caller, owner models.Owner) (models.Owner, error) {
	if err := onlyAdmins(who); err != nil {
		return models.Owner{}, err
	}
	owner.Name = tidy(owner.Name)
	if err := checkOwner(&owner, models.Owner{}, judge{s.targets, who}); err != nil {
		return models.Owner{}, err
	}
	if err := s.store.CreateOwner(ctx, &owner); err != nil {
		return models.Owner{}, err
	}
	s.audit(ctx, who, "create-owner", owner.ID, owner.ID)
	return owner, nil
}

// maxOwnerName is in bytes.
const maxOwnerName = 200

// checkOwner checks what a call makes of the owner that was there before, and sets its URL to the form in which it goes
// out.
func checkOwner(owner *models.Owner, before models.Owner, by judge) error {
	var wrong faults
	if name := strings.TrimSpace(owner.Name); name == "" || len(owner.Name) > maxOwnerName || strings.ContainsFunc(name, isControl) {
		wrong.add("name", "expected a name of 1 to 200 bytes on one line")
	} else if fault := unseenFault(owner.Name, false); fault != "" && owner.Name != before.Name {
		wrong.add("name", fault)
	}
	if owner.Email != "" && owner.Email != before.Email {
		if err := by.CheckEmail(owner.Email); err != nil {
			wrong.add("email", by.explain(err))
		}
	}
	if owner.SlackURL != "" && owner.SlackURL != before.SlackURL {
		stored, _, err := by.CheckURL(owner.SlackURL)
		if err != nil {
			wrong.add("slack_url", by.explain(err))
		}
		owner.SlackURL = stored
	}
	wrong.externalID(owner.ExternalID, ownerPrefix)
	wrong.metadata(owner.Metadata)
	return wrong.err()
}

// ListOwners returns a page of owners with the cursors of those beside.
func (s *Service) ListOwners(ctx context.Context, who Caller, page models.Page) ([]models.Owner, models.Cursors, error) {
	if err := onlyAdmins(who); err != nil {
		return nil, models.Cursors{}, err
	}
	return s.store.Owners(ctx, page)
}

// OwnerNames returns the names of owners by their IDs, for administrators; nothing for owners, who see only their own things.
func (s *Service) OwnerNames(ctx context.Context, who Caller, ids []string) (map[string]string, error) {
	if !who.Admin() || len(ids) == 0 {
		return nil, nil
	}
	return s.store.OwnerNames(ctx, ids)
}

// GetOwner returns an owner.
func (s *Service) GetOwner(ctx context.Context, who Caller, name string) (models.Owner, error) {
	return loadOwner(ctx, s, who, name, s.store.Owner)
}

// OwnerPatch changes an owner. Active suspends the owner, or ends that. Metadata is merged; null removes all.
type OwnerPatch struct {
	Name, Email, SlackURL, ExternalID Patch[string]
	Active                            Patch[bool]
	Metadata                          Patch[map[string]*string]
}

// UpdateOwner changes an owner.
func (s *Service) UpdateOwner(ctx context.Context, who Caller, name string, patch OwnerPatch) (models.Owner, error) {
	owner, err := loadOwner(ctx, s, who, name, func(ctx context.Context, id string) (models.Owner, error) {
		return s.store.UpdateOwner(ctx, id, func(owner *models.Owner) error {
			before := *owner
			patch.Name.to(&owner.Name)
			owner.Name = tidy(owner.Name)
			patch.Email.to(&owner.Email)
			patch.SlackURL.to(&owner.SlackURL)
			toOptional(patch.ExternalID, &owner.ExternalID)
			owner.Metadata = mergedMetadata(owner.Metadata, patch.Metadata)
			var wrong faults
			if wrong.active(patch.Active); wrong.err() != nil {
				return wrong.err()
			}
			patch.Active.to(&owner.Active)
			return checkOwner(owner, before, judge{s.targets, who})
		})
	})
	if err == nil {
		s.audit(ctx, who, "update-owner", owner.ID, owner.ID)
	}
	return owner, err
}

// OwnerDeletion says that an owner is deleted.
type OwnerDeletion struct {
	OwnerID string
	At      time.Time
	// WorkflowID is of the workflow that removes what the owner had.
	WorkflowID string
}

// DeleteOwner ends an owner at once; all that it had is removed by a workflow.
func (s *Service) DeleteOwner(ctx context.Context, who Caller, name string) (OwnerDeletion, error) {
	owner, err := loadOwner(ctx, s, who, name, s.dispatcher.DeleteOwner)
	if err != nil {
		return OwnerDeletion{}, err
	}
	s.audit(ctx, who, "delete-owner", owner.ID, owner.ID)
	return OwnerDeletion{OwnerID: owner.ID, At: *owner.DeletedAt, WorkflowID: contract.OwnerDeletionID(owner.ID)}, nil
}
