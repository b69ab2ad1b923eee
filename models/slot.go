package models

import (
	"context"
	"fmt"
	"time"
)

// MaxRateLimit is the highest rate limit of a webhook, in requests per second.
const MaxRateLimit = 1000

// webhookSlot says when the next request to a webhook with a rate limit may be made.
type webhookSlot struct {
	WebhookID string `gorm:"primaryKey"`
	// NextUS is in microseconds since 1970, so that both databases reckon alike.
	NextUS int64 `gorm:"column:next_us"`
}

// PostgreSQL must be told the type of what it adds.
const reserveSlotSQL = `
INSERT INTO webhook_slots AS s (webhook_id, next_us) VALUES (@id, CAST(@now AS bigint) + CAST(@gap AS bigint))
ON CONFLICT (webhook_id) DO UPDATE
SET next_us = CASE WHEN s.next_us > CAST(@now AS bigint) THEN s.next_us ELSE CAST(@now AS bigint) END + CAST(@gap AS bigint)
RETURNING next_us`

// ReserveSlot takes the next moment at which a webhook may be called that gets perSecond requests a second,
// and returns it: now or later. Each moment is given once, whichever process asks; nobody gets it back.
func (s *Store) ReserveSlot(ctx context.Context, webhookID string, perSecond float64) (time.Time, error) {
	gap := int64(float64(time.Second.Microseconds()) / perSecond)
	var slot webhookSlot
	err := s.db.WithContext(ctx).Raw(reserveSlotSQL, map[string]any{
		"id": webhookID, "now": s.Now().UnixMicro(), "gap": gap,
	}).Scan(&slot).Error
	if err != nil {
		return time.Time{}, fmt.Errorf("reserve slot: %w", err)
	}
	return time.UnixMicro(slot.NextUS - gap).UTC(), nil
}
