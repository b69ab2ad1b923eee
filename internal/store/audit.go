package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// ownedTables say where to look up whose a thing is.
var ownedTables = map[typeid.Kind]string{
	typeid.KindKey: "api_keys", typeid.KindWebhook: "webhooks", typeid.KindEvent: "events", typeid.KindDelivery: "deliveries", typeid.KindSource: "sources",
	typeid.KindInbound: "inbound_events", typeid.KindRecovery: "recoveries",
}

// RecordAudit adds to the trail, and sets the entry's ID and time. The owner, unless it is given, is that of the object.
func (s *Store) RecordAudit(ctx context.Context, entry *models.AuditEntry) error {
	entry.CreatedAt = s.Now()
	entry.ID = typeid.New(typeid.KindAudit, entry.CreatedAt)
	entry.Count = max(1, entry.Count)
	if entry.Fields == nil {
		entry.Fields = []string{}
	}
	db := s.on(ctx)
	if kind, _, _ := strings.Cut(entry.ObjectID, "_"); entry.OwnerID == "" {
		if table, ok := ownedTables[typeid.Kind(kind)]; ok {
			if err := db.Table(table).Select("owner_id").Where("id = ?", entry.ObjectID).Scan(&entry.OwnerID).Error; err != nil {
				return fmt.Errorf("record audit: %w", err)
			}
		} else if typeid.Kind(kind) == typeid.KindOwner {
			entry.OwnerID = entry.ObjectID
		}
	}
	if err := db.Create(entry).Error; err != nil {
		return fmt.Errorf("record audit: %w", err)
	}
	return nil
}

// RecordFailedSignIn adds a request without a valid key to the trail.
func (s *Store) RecordFailedSignIn(ctx context.Context, address string) error {
	return s.RecordAudit(ctx, &models.AuditEntry{Action: models.ActionSignInFailed, Address: address})
}

// Audit lists the trail, newest first, with the cursors of the pages beside. An owner cannot ask for what a certain
// administrator did.
func (s *Store) Audit(ctx context.Context, scope models.Scope, filter models.AuditFilter, page models.Page) ([]models.AuditEntry, models.Cursors, error) {
	q := between(visible(scope, s.db.WithContext(ctx)), typeid.KindAudit, filter.Since, filter.Until)
	if len(filter.Actors) > 0 && scope.OwnerID != "" {
		q = q.Where("NOT admin")
	}
	entries, cursors, err := list(q, page, listing[models.AuditEntry]{
		kind: typeid.KindAudit, id: func(e models.AuditEntry) string { return e.ID },
		filters: []oneOf{is("actor", filter.Actors), is("action", filter.Actions)},
	})
	if err != nil {
		return nil, models.Cursors{}, fmt.Errorf("list audit: %w", err)
	}
	return entries, cursors, nil
}
