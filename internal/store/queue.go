package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// webhookQueue counts the places in the queue of an ordered webhook. Its row is locked from when an event takes a place
// until that event is committed: places are in the order of commits, so that nothing ever comes to stand before what can
// be seen already. An event that goes to several queues locks them in the order of their webhooks.
type webhookQueue struct {
	WebhookID string `gorm:"primaryKey"`
	LastPlace int64
}

// holdsSQL says of a delivery p in the queue of a webhook w that those behind it have to wait: it is under way, or it was
// given up and the webhook waits for it.
const holdsSQL = "p.place IS NOT NULL AND (p.status IN ('pending', 'failed') OR p.status = 'permanently_failed' AND w.on_failure <> 'skip')"

const (
	// firstSQL finds the first delivery in the queue of a webhook w, behindSQL the first before a delivery d.
	firstSQL  = "SELECT p.id FROM deliveries p WHERE p.webhook_id = w.id AND " + holdsSQL + " ORDER BY p.place LIMIT 1"
	behindSQL = "SELECT p.id FROM deliveries p WHERE p.webhook_id = d.webhook_id AND p.place < d.place AND " + holdsSQL + " ORDER BY p.place LIMIT 1"
	// inTurnSQL says that a row of deliveries need not wait for others.
	inTurnSQL = `(deliveries.place IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries p JOIN webhooks w ON w.id = p.webhook_id
		WHERE w.ordered AND p.webhook_id = deliveries.webhook_id AND p.place < deliveries.place AND ` + holdsSQL + `))`
	// goingSQL says that a webhook w has a queue which goes on.
	goingSQL = "w.ordered AND w.active AND NOT w.suspended AND w.deleted_at IS NULL"
)

// heldPlaceSQL is the place of a delivery that is given up: its webhook may wait for it.
var heldPlaceSQL = gorm.Expr(`CASE WHEN place IS NOT NULL AND EXISTS (SELECT 1 FROM webhooks w
	WHERE w.id = deliveries.webhook_id AND w.ordered AND w.on_failure <> 'skip') THEN place END`)

// InTurn returns those of some deliveries that need not wait for others. Ask when they are committed: whoever finishes
// the one before them then sees them, or is seen here.
func (s *Store) InTurn(ctx context.Context, deliveries []models.Delivery) ([]models.Delivery, error) {
	if len(deliveries) == 0 {
		return nil, nil
	}
	ids := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.ID
	}
	var found []string
	db := s.db.WithContext(ctx)
	err := db.Model(&models.Delivery{}).Where(amongSQL(db, "id"), map[string]any{"ids": idList(db, ids)}).
		Where(inTurnSQL).Pluck("id", &found).Error
	if err != nil {
		return nil, fmt.Errorf("look up queues: %w", err)
	}
	turn := make(map[string]bool, len(found))
	for _, id := range found {
		turn[id] = true
	}
	var inTurn []models.Delivery
	for _, delivery := range deliveries {
		if turn[delivery.ID] {
			inTurn = append(inTurn, delivery)
		}
	}
	return inTurn, nil
}

// AwaitTurn notes that a run waits for its delivery's turn, so that it is told, and returns the delivery that it waits for;
// empty when its turn has come meanwhile.
func (s *Store) AwaitTurn(ctx context.Context, deliveryID, runID string) (behind string, err error) {
	db := s.db.WithContext(ctx)
	err = db.Model(&models.Delivery{}).Where("id = ? AND status = 'pending'", deliveryID).Update("run_id", runID).Error
	if err == nil { // in a statement behind that one's commit: who ends the delivery before either sees the run, or is seen
		err = db.Raw("SELECT COALESCE(("+behindSQL+"), '') FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id AND w.ordered WHERE d.id = ?",
			deliveryID).Find(&behind).Error
	}
	if err != nil {
		return "", fmt.Errorf("await turn: %w", err)
	}
	return behind, nil
}

// JoinQueue has a delivery queue up that was published to be delivered later, and returns its place; nil when it has been
// attempted or ended meanwhile.
func (s *Store) JoinQueue(ctx context.Context, delivery models.Delivery) (*int64, error) {
	var place int64
	var joined *int64
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if place, err = takePlaces(tx, delivery.WebhookID, 1); err != nil {
			return err
		}
		updated := tx.Model(&models.Delivery{}).Where("id = ? AND place IS NULL AND status = 'pending' AND attempt_count = 0", delivery.ID).
			Updates(map[string]any{"place": place, "next_attempt_at": nil, "leased_until": nil})
		if updated.RowsAffected > 0 {
			joined = &place
		}
		return updated.Error
	})
	if err != nil {
		return nil, fmt.Errorf("join queue: %w", err)
	}
	return joined, nil
}

// queuedColumns are what is needed of a delivery p to have it go on.
const queuedColumns = "p.id, p.event_id, p.webhook_id, p.owner_id, p.event, p.host, p.status, p.run_id, p.attempt_count, p.next_attempt_at, p.leased_until, p.place, p.created_at"

// FirstInQueue returns the first delivery in the queue of a webhook that gets deliveries at present. Without one, while the queue
// waits for one that was given up, or while a process makes its first attempt without a workflow, it is ErrNotFound.
func (s *Store) FirstInQueue(ctx context.Context, webhookID string) (models.Delivery, error) {
	return s.firstInQueue(ctx, "w.id = ?", webhookID)
}

// FirstInQueueOf is FirstInQueue for the webhook of a delivery.
func (s *Store) FirstInQueueOf(ctx context.Context, deliveryID string) (models.Delivery, error) {
	return s.firstInQueue(ctx, "w.id = (SELECT d.webhook_id FROM deliveries d WHERE d.id = ?)", deliveryID)
}

func (s *Store) firstInQueue(ctx context.Context, of, id string) (models.Delivery, error) {
	var first models.Delivery
	err := s.db.WithContext(ctx).Table("webhooks w").Select(queuedColumns).Joins("JOIN deliveries p ON p.id = ("+firstSQL+")").
		Where(of+" AND "+goingSQL, id).Limit(1).Scan(&first).Error
	if err == nil && (first.ID == "" || first.Status.Finished() || first.LeftFor(s.Now()) > 0) {
		err = models.ErrNotFound
	}
	if err != nil {
		return models.Delivery{}, fmt.Errorf("look up queue: %w", err)
	}
	return first, nil
}

// QueueHeads returns the first deliveries in queues, of those that were made at or before a time, wait for their
// attempt and may not have been told that it is their turn. They are in the order of their webhooks, from behind the one
// with the ID after.
func (s *Store) QueueHeads(ctx context.Context, madeBy time.Time, after string, limit int) ([]models.Delivery, error) {
	now := s.Now()
	var heads []models.Delivery
	err := s.db.WithContext(ctx).Table("webhook_queues q").Select(queuedColumns).
		Joins("JOIN webhooks w ON w.id = q.webhook_id").Joins("JOIN deliveries p ON p.id = ("+firstSQL+")").
		Where("q.webhook_id > ? AND "+goingSQL, after).
		Where("p.status = 'pending' AND p.created_at <= ? AND (p.leased_until IS NULL OR p.leased_until <= ?) AND (p.next_attempt_at IS NULL OR p.next_attempt_at <= ?)",
			madeBy.UTC(), now, now).
		Order("q.webhook_id").Limit(limit).Find(&heads).Error
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	return heads, nil
}

// FirstInQueues returns the first deliveries in the queues of ordered webhooks, by webhook.
func (s *Store) FirstInQueues(ctx context.Context, webhookIDs []string) (map[string]string, error) {
	var rows []struct{ WebhookID, First string }
	err := s.db.WithContext(ctx).Raw("SELECT w.id AS webhook_id, p.id AS first FROM webhooks w JOIN deliveries p ON p.id = ("+firstSQL+
		") WHERE w.ordered AND "+amongSQL(s.db, "w.id"), map[string]any{"ids": idList(s.db, webhookIDs)}).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look up queues: %w", err)
	}
	first := make(map[string]string, len(rows))
	for _, row := range rows {
		first[row.WebhookID] = row.First
	}
	return first, nil
}
