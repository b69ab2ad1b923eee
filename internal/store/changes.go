package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

const (
	// MostChanges bounds what one look for changes reads of each table.
	MostChanges = 2000
	// writeTime is how long after the time in its ID a row may be committed, and attemptTime how long an attempt may take
	// until it is.
	writeTime, attemptTime = 15 * time.Second, 90 * time.Second
)

// Changes returns what was written last, and all recoveries that go on, newest first: from the time that a row may need
// between its ID and its commit. Whoever asks again finds a change several times, and tells by its key. Of attempts, those
// that are known are left out.
func (s *Store) Changes(ctx context.Context, known func(key string) bool) ([]models.Change, error) {
	db := s.db.WithContext(ctx)
	var changes []models.Change
	for _, look := range []func(*gorm.DB, func(string) bool) ([]models.Change, error){
		s.newAttempts, s.newDeliveries, s.newEvents, s.newInboundEvents, s.newAudit, goingRecoveries,
	} {
		found, err := look(db, known)
		if err != nil {
			return nil, fmt.Errorf("look for changes: %w", err)
		}
		changes = append(changes, found...)
	}
	return changes, nil
}

// newest are the newest rows of a table.
func (s *Store) newest(db *gorm.DB, kind typeid.Kind, within time.Duration) *gorm.DB {
	return db.Where("id > ?", typeid.First(kind, s.Now().Add(-within))).Order("id DESC").Limit(MostChanges)
}

func (s *Store) newAttempts(db *gorm.DB, known func(string) bool) (changes []models.Change, err error) {
	var attempts []models.Attempt
	if err := s.newest(db, typeid.KindAttempt, attemptTime).Select("id", "delivery_id").Find(&attempts).Error; err != nil {
		return nil, err
	}
	of := map[string]string{}
	var ids []string
	for _, attempt := range attempts {
		if !known(attempt.ID) {
			of[attempt.ID] = attempt.DeliveryID
			ids = append(ids, attempt.DeliveryID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var deliveries []models.Delivery
	err = db.Select("id", "owner_id", "webhook_id", "event_id").Where(amongSQL(db, "id"), map[string]any{"ids": idList(db, ids)}).Find(&deliveries).Error
	byID := map[string]models.Delivery{}
	for _, delivery := range deliveries {
		byID[delivery.ID] = delivery
	}
	for attempt, id := range of {
		changes = append(changes, changeOf(attempt, byID[id]))
	}
	return changes, err
}

func changeOf(key string, d models.Delivery) models.Change {
	return models.Change{Key: key, OwnerID: d.OwnerID, About: []string{d.ID, d.WebhookID, d.EventID, "deliveries"}}
}

func (s *Store) newDeliveries(db *gorm.DB, _ func(string) bool) (changes []models.Change, err error) {
	var deliveries []models.Delivery
	err = s.newest(db, typeid.KindDelivery, writeTime).Select("id", "owner_id", "webhook_id", "event_id").Find(&deliveries).Error
	for _, delivery := range deliveries {
		changes = append(changes, changeOf(delivery.ID, delivery))
	}
	return changes, err
}

func (s *Store) newEvents(db *gorm.DB, _ func(string) bool) (changes []models.Change, err error) {
	var events []models.Event
	err = s.newest(db, typeid.KindEvent, writeTime).Select("id", "owner_id").Find(&events).Error
	for _, event := range events {
		changes = append(changes, models.Change{Key: event.ID, OwnerID: event.OwnerID, About: []string{event.ID, "events"}})
	}
	return changes, err
}

func (s *Store) newInboundEvents(db *gorm.DB, _ func(string) bool) (changes []models.Change, err error) {
	var received []models.InboundEvent
	err = s.newest(db, typeid.KindInbound, writeTime).Select("id", "owner_id", "source_id", "status").Find(&received).Error
	for _, event := range received {
		changes = append(changes, models.Change{
			Key: event.ID + " " + string(event.Status), OwnerID: event.OwnerID, About: []string{event.ID, event.SourceID, "inbound_events"},
		})
	}
	return changes, err
}

// newAudit finds whatever somebody has done through the API, or here.
func (s *Store) newAudit(db *gorm.DB, _ func(string) bool) (changes []models.Change, err error) {
	var entries []models.AuditEntry
	err = s.newest(db, typeid.KindAudit, writeTime).Select("id", "owner_id", "object_id").Find(&entries).Error
	for _, entry := range entries {
		changes = append(changes, models.Change{Key: entry.ID, OwnerID: entry.OwnerID, About: []string{entry.ObjectID, "audit"}})
	}
	return changes, err
}

func goingRecoveries(db *gorm.DB, _ func(string) bool) (changes []models.Change, err error) {
	var recoveries []models.Recovery
	err = db.Where("status IN ('running', 'paused')").Order("id DESC").Limit(MostChanges).Find(&recoveries).Error
	for _, r := range recoveries {
		changes = append(changes, models.Change{
			Key:     fmt.Sprint(r.ID, " ", r.Status, " ", r.Collected, " ", r.Total, " ", r.Resent, " ", r.Skipped),
			OwnerID: r.OwnerID, About: []string{r.ID, r.WebhookID, "recoveries"},
		})
	}
	return changes, err
}
