package store

import (
	"cmp"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// isEvent says that the row stands for a missed event.
func (r recoveryDelivery) isEvent() bool { return typeid.Is(typeid.KindEvent, r.DeliveryID) }

// makeMissedSQL counts a delivery more of those of some events that have none to the webhook. Their rows are locked
// from here on, so that none of them is purged.
func makeMissedSQL(tx *gorm.DB) string {
	return "UPDATE events SET deliveries = deliveries + 1 WHERE " + amongSQL(tx, "id") + " AND " + undeliveredSQL + " RETURNING id, event, deliver_at"
}

// makeMissed makes claimed deliveries of the missed events that a recovery comes to. An event that is gone, that has
// got its delivery meanwhile, or that the webhook's filter drops now, is skipped.
//
// The recovery's row is locked, and a webhook has one recovery at a time: so no event gets two deliveries. The delivery
// is stored before its workflow starts, as on publishing; the sweep would start the same workflow.
func (s *Store) makeMissed(tx *gorm.DB, recovery *models.Recovery, webhook models.Webhook, rows []recoveryDelivery) ([]models.Delivery, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := idsOfRows(rows)
	passing, faults, err := s.passing(tx, webhook, ids)
	if err != nil {
		return nil, err
	}
	var events []models.Event
	err = tx.Raw(makeMissedSQL(tx), map[string]any{"ids": idList(tx, passing), "webhook": webhook.ID}).Find(&events).Error
	if err != nil {
		return nil, err
	}
	slices.SortFunc(events, func(a, b models.Event) int { return cmp.Compare(a.ID, b.ID) })
	made, claimed := make([]models.Delivery, len(events)), make([]recoveryDelivery, len(events))
	now := s.Now()
	for i, event := range events {
		// A microsecond apart, the IDs sort as the events do.
		id := typeid.New(typeid.KindDelivery, now.Add(time.Duration(i)*time.Microsecond))
		made[i] = models.Delivery{
			ID: id, EventID: event.ID, WebhookID: webhook.ID, OwnerID: webhook.OwnerID, Event: event.Type, Host: webhook.Host,
			Status: models.StatusPending, FilterError: faults[event.ID], CreatedAt: now,
		}
		if event.DeliverAt != nil && event.DeliverAt.After(now) {
			made[i].NextAttemptAt = event.DeliverAt
		}
		claimed[i] = recoveryDelivery{RecoveryID: recovery.ID, DeliveryID: id, Claimed: true}
	}
	var turned int64
	if err := drop(tx, recovery.ID, ids, &turned); err != nil {
		return nil, err
	}
	recovery.Skipped += turned - int64(len(made))
	if len(made) == 0 {
		return nil, nil
	}
	if webhook.Ordered {
		last, err := takePlaces(tx, webhook.ID, int64(len(made)))
		if err != nil {
			return nil, err
		}
		for i := range made {
			place := last - int64(len(made)-1-i)
			made[i].Place = &place
		}
	}
	const atOnce = 100 // a statement has a bound of parameters
	if err := tx.CreateInBatches(made, atOnce).Error; err != nil {
		return nil, err
	}
	if err := tx.CreateInBatches(claimed, atOnce).Error; err != nil {
		return nil, err
	}
	return made, indexAgain(tx, events)
}

// indexAgain has the new deliveries of events found by these events' metadata.
func indexAgain(tx *gorm.DB, events []models.Event) error {
	ids := idsOf(events, func(e models.Event) string { return e.ID })
	return tx.Model(&models.Event{}).Where(amongSQL(tx, "id"), map[string]any{"ids": idList(tx, ids)}).Where("metadata <> '{}'").
		UpdateColumn("metadata", gorm.Expr("metadata")).Error
}
