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
	db := s.db.WithContext(ctx)
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

// Audit lists the trail, newest first, with the cursor of the next page. An owner cannot ask for what a certain
// administrator did.
func (s *Store) Audit(ctx context.Context, scope models.Scope, filter models.AuditFilter, page models.Page) ([]models.AuditEntry, string, error) {
	q := visible(scope, s.db.WithContext(ctx))
	if len(filter.Actors) > 0 {
		q = q.Where("actor IN ?", filter.Actors)
		if scope.OwnerID != "" {
			q = q.Where("NOT admin")
		}
	}
	if len(filter.Actions) > 0 {
		q = q.Where("action IN ?", filter.Actions)
	}
	q, err := onPage(page, between(q, typeid.KindAudit, filter.Since, filter.Until), typeid.KindAudit)
	if err != nil {
		return nil, "", err
	}
	var entries []models.AuditEntry
	if err := q.Find(&entries).Error; err != nil {
		return nil, "", fmt.Errorf("list audit: %w", err)
	}
	entries, next := cut(page, entries, func(e models.AuditEntry) string { return e.ID })
	return entries, next, nil
}
