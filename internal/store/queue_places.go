package store

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// queueUpTogetherSQL gives places to the deliveries of a batch (see publishBatchSQL) to ordered webhooks: to those of one
// webhook in the order of their events. The queues are locked behind the idempotency keys, and in their order.
const queueUpTogetherSQL = `
queued AS MATERIALIZED (
    SELECT m.event_id, m.id AS webhook_id, row_number() OVER (PARTITION BY m.id ORDER BY e.created_at, e.id) AS nth
    FROM matched m JOIN stored s ON s.id = m.event_id JOIN new e ON e.id = m.event_id
    WHERE m.ordered),
queues AS (
    INSERT INTO webhook_queues AS q (webhook_id, last_place)
    SELECT webhook_id, count(*) FROM queued GROUP BY webhook_id ORDER BY webhook_id
    ON CONFLICT (webhook_id) DO UPDATE SET last_place = q.last_place + excluded.last_place
    RETURNING webhook_id, last_place),
placed AS MATERIALIZED (
    SELECT d.event_id, d.webhook_id, q.last_place - count(*) OVER (PARTITION BY d.webhook_id) + d.nth AS place
    FROM queued d JOIN queues q ON q.webhook_id = d.webhook_id),`

// What was just inserted has the place 0 until queueUp gives it its own.
const (
	takePlacesSQL = `
INSERT INTO webhook_queues (webhook_id, last_place)
SELECT webhook_id, 1 FROM deliveries WHERE event_id = ? AND place = 0 ORDER BY webhook_id
ON CONFLICT (webhook_id) DO UPDATE SET last_place = webhook_queues.last_place + 1`
	givePlacesSQL = `
UPDATE deliveries SET leased_until = NULL,
    place = (SELECT q.last_place FROM webhook_queues q WHERE q.webhook_id = deliveries.webhook_id)
WHERE event_id = ? AND place = 0 RETURNING id, place`
)

// queueUp gives places to those deliveries of a new event that go to ordered webhooks, within its transaction.
func queueUp(tx *gorm.DB, eventID string, deliveries []models.Delivery) error {
	if !slices.ContainsFunc(deliveries, models.Delivery.Queued) {
		return nil
	}
	if err := tx.Exec(takePlacesSQL, eventID).Error; err != nil {
		return err
	}
	var placed []models.Delivery
	if err := tx.Raw(givePlacesSQL, eventID).Find(&placed).Error; err != nil {
		return err
	}
	places := make(map[string]*int64, len(placed))
	for _, delivery := range placed {
		places[delivery.ID] = delivery.Place
	}
	for i := range deliveries {
		deliveries[i].Place = places[deliveries[i].ID]
	}
	return nil
}

// largeBatchSQL has batches of several statements, which come to the queues in any order, wait for each other where there
// are queues. The number stands for that and nothing else.
const largeBatchSQL = "SELECT pg_advisory_xact_lock(7161701) FROM (SELECT 1 FROM webhook_queues LIMIT 1) q"

// queueInOrderSQL hands the places out anew that a transaction has taken for the events with some IDs, in the order of
// these. Nobody else has taken one in between: the queues are locked.
func queueInOrderSQL(tx *gorm.DB) string {
	// By the events' index: whoever asks for place IS NOT NULL may be sent through all queues.
	taken := " FROM deliveries WHERE COALESCE(place, -1) >= 0 AND " + amongSQL(tx, "event_id")
	return `
UPDATE deliveries SET place = p.place
FROM (SELECT id, webhook_id, row_number() OVER (PARTITION BY webhook_id ORDER BY event_id) AS n` + taken + `) d
JOIN (SELECT place, webhook_id, row_number() OVER (PARTITION BY webhook_id ORDER BY place) AS n` + taken + `) p ON p.webhook_id = d.webhook_id AND p.n = d.n
WHERE deliveries.id = d.id`
}

// queueInOrder puts events in their order that a transaction has stored in several statements, in that of their
// idempotency keys.
func queueInOrder(tx *gorm.DB, stored map[string]models.Published) error {
	queued := false
	ids := make([]string, 0, len(stored))
	for id, published := range stored {
		ids = append(ids, id)
		// Of an event with many deliveries these are not known.
		queued = queued || published.Event.DeliveryCount > len(published.Deliveries) || slices.ContainsFunc(published.Deliveries, models.Delivery.Queued)
	}
	if !queued {
		return nil
	}
	return tx.Exec(queueInOrderSQL(tx), map[string]any{"ids": idList(tx, ids)}).Error
}

// changeQueue does to the deliveries of a webhook what a change of its order means for them, within its transaction.
func changeQueue(tx *gorm.DB, webhookID string, before, now models.Queueing, at time.Time) error {
	switch {
	case now.Ordered && !before.Ordered:
		return formQueue(tx, webhookID, at)
	case before.Ordered && !now.Ordered:
		return leaveQueue(tx, webhookID, "TRUE")
	case now.Ordered && now.OnFailure == models.OnFailureSkip:
		return leaveQueue(tx, webhookID, "status = 'permanently_failed'")
	}
	return nil
}

// leaveQueue takes those deliveries of a webhook out of its queue for which a condition holds.
func leaveQueue(tx *gorm.DB, webhookID, condition string) error {
	return tx.Model(&models.Delivery{}).Where("webhook_id = ? AND place IS NOT NULL", webhookID).Where(condition).Update("place", nil).Error
}

// What is under way when a webhook becomes ordered queues up in the order in which it was published, as its IDs tell.
// What is to be delivered later joins when it is due. The statuses are named one by one, so that the indexes of what waits
// are used.
const formQueueSQL = `
UPDATE deliveries SET place = (SELECT q.last_place FROM webhook_queues q WHERE q.webhook_id = @webhook) + u.nth
FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM (
          SELECT id FROM deliveries WHERE webhook_id = @webhook AND status = 'pending' AND NOT test
              AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = deliveries.event_id AND e.deliver_at > @now)
          UNION ALL
          SELECT id FROM deliveries WHERE webhook_id = @webhook AND status = 'failed' AND NOT test) open) u
WHERE deliveries.id = u.id`

// formQueue makes a queue of the deliveries that are under way to a webhook.
func formQueue(tx *gorm.DB, webhookID string, at time.Time) error {
	if err := leaveQueue(tx, webhookID, "TRUE"); err != nil { // what came in while the order was lifted
		return err
	}
	return queueBehind(tx, webhookID, formQueueSQL, map[string]any{"webhook": webhookID, "now": at.UTC()})
}

// queueBehind executes a statement that has deliveries queue up behind the last place of a webhook's queue.
func queueBehind(tx *gorm.DB, webhookID, statement string, values map[string]any) error {
	if _, err := takePlaces(tx, webhookID, 0); err != nil { // locks it
		return err
	}
	placed := tx.Exec(statement, values)
	if placed.Error != nil {
		return placed.Error
	}
	_, err := takePlaces(tx, webhookID, placed.RowsAffected)
	return err
}

// queueAgainSQL makes deliveries that have ended pending. One that its webhook waits for keeps its place.
func queueAgainSQL(tx *gorm.DB) string {
	return `
UPDATE deliveries SET status = 'pending', next_attempt_at = NULL, leased_until = NULL, ended_at = NULL, cancel_reason = '', cancel_cause = '',
    place = COALESCE(deliveries.place, (SELECT q.last_place FROM webhook_queues q WHERE q.webhook_id = @webhook) + u.nth)
FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM deliveries WHERE ` + amongSQL(tx, "id") + ` AND ` + finishedSQL + `) u
WHERE deliveries.id = u.id`
}

// queueAgain has deliveries of an ordered webhook that a recovery resends queue up once more, in the order of their IDs.
// Those that it had queue up before stay where they are. The deliveries are returned as they are then.
func queueAgain(tx *gorm.DB, webhookID string, deliveries []models.Delivery) ([]models.Delivery, error) {
	ids := make([]string, len(deliveries))
	for i, delivery := range deliveries {
		ids[i] = delivery.ID
	}
	err := queueBehind(tx, webhookID, queueAgainSQL(tx), map[string]any{"webhook": webhookID, "ids": idList(tx, ids)})
	if err != nil {
		return nil, err
	}
	var queued []models.Delivery
	err = tx.Where(amongSQL(tx, "id"), map[string]any{"ids": idList(tx, ids)}).Order("id").Find(&queued).Error
	return queued, err
}

// takePlaces takes so many places in a webhook's queue, which is locked from then on, and returns the last of them.
func takePlaces(tx *gorm.DB, webhookID string, n int64) (last int64, err error) {
	err = tx.Raw(`INSERT INTO webhook_queues (webhook_id, last_place) VALUES (?, ?)
		ON CONFLICT (webhook_id) DO UPDATE SET last_place = webhook_queues.last_place + excluded.last_place
		RETURNING last_place`, webhookID, n).Find(&last).Error
	return last, err
}

// cancelQueued ends what waits in the queue of a webhook that is deleted: most of it has no workflow that would.
func cancelQueued(tx *gorm.DB, webhookID string, now time.Time) error {
	err := tx.Model(&models.Delivery{}).Where("webhook_id = ? AND place IS NOT NULL AND status = 'pending'", webhookID).
		Updates(map[string]any{
			"status": models.StatusCancelled, "cancel_reason": "the webhook was deleted", "cancel_cause": models.CauseDeleted,
			"next_attempt_at": nil, "ended_at": now, "place": nil,
		}).Error
	if err != nil {
		return err
	}
	return leaveQueue(tx, webhookID, "TRUE")
}
