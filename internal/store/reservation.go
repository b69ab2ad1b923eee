package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// webhookTimetable says when the next request to a webhook may be made. Times are in microseconds since 1970, so that
// both databases calculate alike.
type webhookTimetable struct {
	WebhookID string `gorm:"primaryKey"`
	NextUS    int64  `gorm:"column:next_us"`
	// SinceUS is when the moments were last given out anew, GapUS the time between two of them that was set then;
	// 0 when the limit was lifted, nil when it was never changed.
	SinceUS int64  `gorm:"column:since_us"`
	GapUS   *int64 `gorm:"column:gap_us"`
}

// TableName is the table of webhooks' timetables.
func (webhookTimetable) TableName() string { return "webhook_slots" }

// gapSQL is the time between two moments, of a row s or, behind RETURNING, where SQLite knows no other name, of the
// one. PostgreSQL must be told the type of what it reckons with.
func gapSQL(row string) string {
	return fmt.Sprintf("CASE WHEN %[1]ssince_us + %[2]d > CAST(@now AS bigint) THEN COALESCE(%[1]sgap_us, CAST(@gap AS bigint)) ELSE CAST(@gap AS bigint) END",
		row, timing.StaleRateLimit.Microseconds())
}

var reserveSQL = `
INSERT INTO webhook_slots AS s (webhook_id, next_us) VALUES (@id, CAST(@now AS bigint) + CAST(@gap AS bigint))
ON CONFLICT (webhook_id) DO UPDATE
SET next_us = CASE WHEN s.since_us = CAST(@held AS bigint) THEN s.next_us
    ELSE CASE WHEN s.next_us > CAST(@now AS bigint) THEN s.next_us ELSE CAST(@now AS bigint) END + ` + gapSQL("s.") + ` END
RETURNING next_us, since_us, ` + gapSQL("") + ` AS gap_us`

// ReserveRequest reserves the next moment at which a webhook may be called that gets perSecond requests a second, and
// returns it: now or later. Each moment is given once, whichever process asks. A reservation that is held already is
// kept, unless the moments were given out anew since it was made; held is nil for none.
func (s *Store) ReserveRequest(ctx context.Context, webhookID string, perSecond float64, held *models.Reservation) (models.Reservation, error) {
	const none = -1
	arguments := map[string]any{"id": webhookID, "now": s.Now().UnixMicro(), "gap": gapOf(&perSecond), "held": none}
	if held != nil {
		arguments["held"] = held.Since
	}
	var timetable webhookTimetable
	if err := s.db.WithContext(ctx).Raw(reserveSQL, arguments).Find(&timetable).Error; err != nil {
		return models.Reservation{}, fmt.Errorf("reserve request: %w", err)
	}
	if held != nil && held.Since == timetable.SinceUS {
		return *held, nil
	}
	return models.Reservation{At: time.UnixMicro(timetable.NextUS - *timetable.GapUS).UTC(), Since: timetable.SinceUS}, nil
}

// gapOf is the time between two requests, in microseconds; 0 without a limit.
func gapOf(perSecond *float64) int64 {
	if perSecond == nil {
		return 0
	}
	return int64(float64(time.Second.Microseconds()) / *perSecond)
}

const newTimetableSQL = `
INSERT INTO webhook_slots AS s (webhook_id, next_us, since_us, gap_us) VALUES (@id, 0, @now, @gap)
ON CONFLICT (webhook_id) DO UPDATE SET next_us = 0, gap_us = excluded.gap_us,
    since_us = CASE WHEN s.since_us < excluded.since_us THEN excluded.since_us ELSE s.since_us + 1 END`

// newTimetable gives a webhook's moments out anew from now on, because its rate limit was changed or nobody waits
// for those that were given out.
func newTimetable(tx *gorm.DB, webhook models.Webhook, now time.Time) error {
	return tx.Exec(newTimetableSQL, map[string]any{"id": webhook.ID, "now": now.UnixMicro(), "gap": gapOf(webhook.RateLimit)}).Error
}

// The first moment that is still to come takes the place of the last that was given. What is to be delivered later holds none
// before its time.
const freeReservationsSQL = `
UPDATE webhook_slots SET next_us = CAST(@now AS bigint) + 1 + (next_us - 1 - CAST(@now AS bigint)) % CAST(@gap AS bigint), since_us = since_us + 1
WHERE webhook_id = @id AND next_us > @now
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = webhook_slots.webhook_id AND d.status = 'pending'
        AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = d.event_id AND e.deliver_at > @time))`

// freeReservations gives the moments of a delivery's webhook that are still to come out anew when no delivery waits for
// its first attempt now any more: what comes next must not wait behind moments that cancelled deliveries had reserved. A
// retry that holds one makes a new reservation. Those that have passed were used, and the rate limit holds behind them.
func (s *Store) freeReservations(ctx context.Context, deliveryID string) error {
	var webhook models.Webhook
	db := s.db.WithContext(ctx)
	found := db.Model(&webhook).Select("id", "rate_limit").
		Where("rate_limit > 0 AND id = (SELECT webhook_id FROM deliveries WHERE id = ?)", deliveryID).Limit(1).Find(&webhook)
	if found.Error != nil || found.RowsAffected == 0 {
		return found.Error
	}
	now := s.Now()
	return db.Exec(freeReservationsSQL, map[string]any{
		"id": webhook.ID, "now": now.UnixMicro(), "time": now, "gap": gapOf(webhook.RateLimit),
	}).Error
}
