package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// CollectRecovery looks at up to limit more of what a recovery may be about, notes what it is about, and returns it;
// it is collected when there is no more. Doing it again changes nothing.
func (s *Store) CollectRecovery(ctx context.Context, id string, limit int) (models.Recovery, error) {
	recovery, err := s.changeRecovery(ctx, id, func(tx *gorm.DB, recovery *models.Recovery) error {
		if !recovery.Collected && !collectsEvents(*recovery) {
			if err := collectDeliveries(tx, recovery, limit); err != nil {
				return err
			}
		}
		if recovery.Collected || !collectsEvents(*recovery) {
			return nil
		}
		return s.collectEvents(tx, recovery, limit)
	})
	if err != nil {
		return models.Recovery{}, fmt.Errorf("collect deliveries: %w", err)
	}
	return recovery, nil
}

// collectsEvents says that the deliveries are known, and the missed events are looked for.
func collectsEvents(recovery models.Recovery) bool {
	return typeid.Is(typeid.KindEvent, recovery.CollectedTo)
}

func collectDeliveries(tx *gorm.DB, recovery *models.Recovery, limit int) error {
	if recovery.Include == models.IncludeAll {
		return collectEnded(tx, recovery, limit)
	}
	return collectUnreached(tx, recovery, limit)
}

// unreachedSQL finds a webhook's deliveries that did not reach the receiver, by when they ended, in an index of their
// own.
const (
	unreachedSQL      = "webhook_id = ? AND status IN ('permanently_failed', 'cancelled')"
	unreachedEndedSQL = "COALESCE(ended_at, created_at)"
)

// collectUnreached goes through a webhook's deliveries that did not reach the receiver by when they ended.
func collectUnreached(tx *gorm.DB, recovery *models.Recovery, limit int) error {
	at, after := recovery.Since.UTC(), ""
	if recovery.CollectedAt != nil {
		at, after = recovery.CollectedAt.UTC(), recovery.CollectedTo
	}
	part := func() *gorm.DB {
		return tx.Model(&models.Delivery{}).Where(unreachedSQL, recovery.WebhookID).
			Where("("+unreachedEndedSQL+", id) > (?, ?) AND "+unreachedEndedSQL+" < ?", at, after, recovery.Until.UTC())
	}
	var last []models.Delivery
	err := part().Select("id", "ended_at", "created_at").Order(unreachedEndedSQL + ", id").Offset(limit - 1).Limit(1).Find(&last).Error
	if err != nil {
		return err
	}
	found := part().Where("NOT test AND NOT erased AND (status = 'permanently_failed' OR cancel_cause = ?)", models.CauseInactive)
	if len(last) == 0 {
		return collectLast(tx, recovery, found)
	}
	ended := last[0].CreatedAt.UTC()
	if last[0].EndedAt != nil {
		ended = last[0].EndedAt.UTC()
	}
	recovery.CollectedAt, recovery.CollectedTo = &ended, last[0].ID
	return note(tx, recovery, found.Where("("+unreachedEndedSQL+", id) <= (?, ?)", ended, last[0].ID))
}

// collectEnded goes through all of a webhook's deliveries: there is no index of when those ended that arrived.
func collectEnded(tx *gorm.DB, recovery *models.Recovery, limit int) error {
	until := recovery.Until.UTC()
	part := func() *gorm.DB {
		return tx.Model(&models.Delivery{}).Where("webhook_id = ? AND id > ? AND id < ?",
			recovery.WebhookID, recovery.CollectedTo, behind(typeid.KindDelivery, until))
	}
	var last []string
	if err := part().Order("id").Offset(limit-1).Limit(1).Pluck("id", &last).Error; err != nil {
		return err
	}
	const endedSQL = "COALESCE(ended_at, delivered_at, created_at)"
	found := part().Where("NOT test AND NOT erased AND "+finishedSQL).
		Where(endedSQL+" >= ? AND "+endedSQL+" < ?", recovery.Since.UTC(), until)
	if len(last) == 0 {
		return collectLast(tx, recovery, found)
	}
	recovery.CollectedTo = last[0]
	return note(tx, recovery, found.Where("id <= ?", last[0]))
}

// collectLast notes the last deliveries. Missed events come behind them.
func collectLast(tx *gorm.DB, recovery *models.Recovery, found *gorm.DB) error {
	if recovery.Include.Missed() {
		recovery.CollectedTo, recovery.CollectedAt = typeid.First(typeid.KindEvent, recovery.Since), nil
	} else {
		recovery.Collected = true
	}
	return note(tx, recovery, found)
}

// note adds deliveries to what a recovery has to do.
func note(tx *gorm.DB, recovery *models.Recovery, found *gorm.DB) error {
	result := tx.Exec(`INSERT INTO recovery_deliveries (recovery_id, delivery_id, attempt_count)
		SELECT CAST(? AS text), id, attempt_count FROM (?) found WHERE TRUE ON CONFLICT DO NOTHING`,
		recovery.ID, found.Select("id", "attempt_count"))
	recovery.Total += result.RowsAffected
	return result.Error
}

// publishedSQL finds the next events that the owner's webhooks may get: the owner's own, and those of everybody.
const publishedSQL = `
SELECT id, event, webhook_ids FROM (SELECT id, event, webhook_ids FROM events WHERE owner_id = @owner ` + publishedPartSQL + `) own
UNION ALL
SELECT id, event, webhook_ids FROM (SELECT id, event, webhook_ids FROM events WHERE owner_id = '' ` + publishedPartSQL + `) everybodys
ORDER BY id LIMIT @limit`

const publishedPartSQL = "AND id > @after AND id < @behind AND created_at >= @since AND created_at < @until ORDER BY id LIMIT @limit"

// missedSQL notes those of some events that have no delivery to the webhook.
func missedSQL(tx *gorm.DB) string {
	return `INSERT INTO recovery_deliveries (recovery_id, delivery_id, attempt_count)
		SELECT CAST(@recovery AS text), events.id, 0 FROM events WHERE ` + amongSQL(tx, "events.id") + ` AND ` + undeliveredSQL + `
		ON CONFLICT DO NOTHING`
}

// undeliveredSQL says that an event, whose data is there, never had a delivery to the webhook. One of whose deliveries some are purged, while
// another keeps it, may have had one: it is not sent again.
const undeliveredSQL = `events.erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id AND d.webhook_id = @webhook)
	AND (SELECT count(*) FROM deliveries d WHERE d.event_id = events.id) >= events.deliveries`

// collectEvents goes through the events that the webhook may have missed.
func (s *Store) collectEvents(tx *gorm.DB, recovery *models.Recovery, limit int) error {
	var webhook models.Webhook
	if err := tx.Select("id", "owner_id", "host", "external_id", "metadata", "events", "filter").Where("id = ?", recovery.WebhookID).Take(&webhook).Error; err != nil {
		return oneRow(err)
	}
	if webhook.Filter != "" {
		limit = min(limit, filteredAtOnce)
	}
	var published []models.Event
	err := tx.Raw(publishedSQL, map[string]any{
		"owner": recovery.OwnerID, "after": recovery.CollectedTo, "behind": behind(typeid.KindEvent, recovery.Until),
		"since": recovery.Since.UTC(), "until": recovery.Until.UTC(), "limit": limit,
	}).Scan(&published).Error
	if err != nil {
		return err
	}
	if recovery.Collected = len(published) < limit; !recovery.Collected {
		recovery.CollectedTo = published[limit-1].ID
	}
	var matching []string
	for _, event := range published {
		if recovers(webhook, event) {
			matching = append(matching, event.ID)
		}
	}
	matching, _, err = s.passing(tx, webhook, matching)
	if err != nil || len(matching) == 0 {
		return err
	}
	result := tx.Exec(missedSQL(tx), map[string]any{
		"recovery": recovery.ID, "ids": idList(tx, matching), "webhook": recovery.WebhookID,
	})
	recovery.Total += result.RowsAffected
	return result.Error
}

// recovers says that a recovery brings a missed event to the webhook. Tests and operational events are about their moment.
func recovers(webhook models.Webhook, event models.Event) bool {
	if event.Type == models.EventTest || models.Operational(event.Type) {
		return false
	}
	if len(event.WebhookIDs) > 0 {
		return slices.Contains(event.WebhookIDs, webhook.ID)
	}
	return slices.ContainsFunc(models.PatternsMatching(event.Type), func(pattern string) bool { return slices.Contains(webhook.Events, pattern) })
}

// behind is an ID behind all of those that are made before a time.
func behind(kind typeid.Kind, until time.Time) string {
	return typeid.First(kind, until.Add(time.Millisecond))
}
