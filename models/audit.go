package models

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ActionSignInFailed is the action of requests with a key that is not valid. All other actions are operations of the
// API, by their IDs, and commands.
const ActionSignInFailed = "sign-in-failed"

// AuditEntry says that someone did something. It names what was changed, and never its value.
type AuditEntry struct {
	ID string `gorm:"primaryKey"`
	// OwnerID is whose thing it was about; empty for the installation's.
	OwnerID string
	// Actor is the ID of the key that was used, or another name of who it was; empty when that is not known.
	Actor string
	// Admin says that it was an administrator.
	Admin  bool
	Action string
	// ObjectID is what it was about; empty for nothing in particular.
	ObjectID string
	// Fields are the names of the fields that the request set.
	Fields []string `gorm:"serializer:json"`
	// Address is where it came from; empty when that is not known, or was one of too many.
	Address string
	// Count is how often it happened: above 1 only for what is counted by the minute.
	Count     int64
	CreatedAt time.Time
}

// TableName is the table of the trail.
func (AuditEntry) TableName() string { return "audit" }

// ownedTables say where to look up whose a thing is.
var ownedTables = map[Kind]string{
	KindKey: "api_keys", KindWebhook: "webhooks", KindEvent: "events", KindDelivery: "deliveries", KindSource: "sources",
	KindInbound: "inbound_events", KindRecovery: "recoveries",
}

// RecordAudit adds to the trail, and sets the entry's ID and time. The owner, unless it is given, is that of the object.
func (s *Store) RecordAudit(ctx context.Context, entry *AuditEntry) error {
	entry.CreatedAt = s.Now()
	entry.ID = NewID(KindAudit, entry.CreatedAt)
	entry.Count = max(1, entry.Count)
	if entry.Fields == nil {
		entry.Fields = []string{}
	}
	db := s.db.WithContext(ctx)
	if kind, _, _ := strings.Cut(entry.ObjectID, "_"); entry.OwnerID == "" {
		if table, ok := ownedTables[Kind(kind)]; ok {
			if err := db.Table(table).Select("owner_id").Where("id = ?", entry.ObjectID).Scan(&entry.OwnerID).Error; err != nil {
				return fmt.Errorf("record audit: %w", err)
			}
		} else if Kind(kind) == KindOwner {
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
	return s.RecordAudit(ctx, &AuditEntry{Action: ActionSignInFailed, Address: address})
}

// AuditFilter narrows the trail; its zero value narrows nothing.
type AuditFilter struct {
	Actors, Actions []string
	Since, Until    time.Time
}

// Audit lists the trail, newest first, with the cursor of the next page. An owner cannot ask for what a certain
// administrator did.
func (s *Store) Audit(ctx context.Context, scope Scope, filter AuditFilter, page Page) ([]AuditEntry, string, error) {
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
	q, err := onPage(page, between(q, KindAudit, filter.Since, filter.Until), KindAudit)
	if err != nil {
		return nil, "", err
	}
	var entries []AuditEntry
	if err := q.Find(&entries).Error; err != nil {
		return nil, "", fmt.Errorf("list audit: %w", err)
	}
	entries, next := cut(page, entries, func(e AuditEntry) string { return e.ID })
	return entries, next, nil
}
