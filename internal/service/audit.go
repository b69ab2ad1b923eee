package service

import (
	"context"
	"time"

	"github.com/postrider/postrider/models"
)

// What changes something leaves an entry in the audit trail when it has succeeded, but for publishing: an event is its
// own trail, and must not cost another row. The entry is written after the change and before the answer. A change whose
// entry cannot be written has happened all the same: the log then has the entry, as an error.

type auditStore interface {
	RecordAudit(ctx context.Context, entry *models.AuditEntry) error
	RecordFailedSignIn(ctx context.Context, address string) error
	Audit(ctx context.Context, scope models.Scope, filter models.AuditFilter, page models.Page) ([]models.AuditEntry, models.Cursors, error)
}

// auditTimeout bounds the writing of an entry. It goes on when the caller hangs up.
const auditTimeout = 5 * time.Second

// audit adds to the trail that a caller did something to an object. ownerID is whose object it is; when empty, the store
// looks it up.
func (s *Service) audit(ctx context.Context, who Caller, action, objectID, ownerID string) {
	entry := models.AuditEntry{
		OwnerID: ownerID, Actor: who.KeyID, Admin: who.Admin() || who.As != nil, Action: action, ObjectID: objectID, Address: who.Address,
	}
	if !who.Admin() {
		entry.OwnerID = who.OwnerID
	}
	if who.Fields != nil {
		entry.Fields = who.Fields()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	err := s.store.RecordAudit(ctx, &entry)
	log, attributes := s.logger.InfoContext, []any{
		"action", entry.Action, "actor", entry.Actor, "object_id", entry.ObjectID, "owner_id", entry.OwnerID, "fields", entry.Fields,
		"address", entry.Address,
	}
	if err != nil {
		log, attributes = s.logger.ErrorContext, append(attributes, "not_stored", err)
	}
	log(ctx, "audit", attributes...)
	s.countAudited(ctx, entry.Action)
}

func (s *Service) countAudited(ctx context.Context, action string) {
	if s.audited != nil {
		s.audited(ctx, action)
	}
}

// SignInFailed adds a call with a key that is not valid to the trail.
func (s *Service) SignInFailed(ctx context.Context, address string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	if err := s.store.RecordFailedSignIn(ctx, address); err != nil {
		s.logger.ErrorContext(ctx, "audit", "action", models.ActionSignInFailed, "address", address, "not_stored", err)
	}
	s.countAudited(ctx, models.ActionSignInFailed)
}

// maxAuditFilter bounds the values of a filter, in bytes.
const maxAuditFilter = 100

// administrator is what owners see of who administers the installation.
const administrator = "administrator"

// ListAudit returns a page of the audit trail with the cursors of those beside. Owners do not see which administrator did
// something, nor from where.
func (s *Service) ListAudit(ctx context.Context, who Caller, filter models.AuditFilter, page models.Page) ([]models.AuditEntry, models.Cursors, error) {
	var wrong faults
	wrong.auditFilter("actor", filter.Actors)
	wrong.auditFilter("action", filter.Actions)
	if err := wrong.err(); err != nil {
		return nil, models.Cursors{}, err
	}
	entries, next, err := s.store.Audit(ctx, who.scope(), filter, page)
	for i := range entries {
		if entries[i].Admin && !who.Admin() {
			entries[i].Actor, entries[i].Address = administrator, ""
		}
	}
	return entries, next, err
}

func (f *faults) auditFilter(location string, values []string) {
	for _, value := range values {
		if value == "" || len(value) > maxAuditFilter || !storable(value) {
			f.add(location, "expected names separated by commas")
			return
		}
	}
}
