package models

import "time"

// Purgeable names what Purge deletes.
type Purgeable string

// What can be purged. All of it goes only when nothing refers to it any more.
const (
	// PurgeDeliveries deletes finished deliveries whose last attempt is old too, with all their attempts. One
	// that waits stays, however old it is.
	PurgeDeliveries Purgeable = "deliveries"
	// PurgeEvents deletes events without deliveries, and their idempotency keys with them.
	PurgeEvents Purgeable = "events"
	// PurgeRecoveries deletes recoveries that ended before the time.
	PurgeRecoveries Purgeable = "recoveries"
	// PurgeWebhooks deletes webhooks that were deleted before the time and have no deliveries, with their health.
	PurgeWebhooks Purgeable = "webhooks"
	// PurgeKeys deletes API keys that were revoked before the time.
	PurgeKeys Purgeable = "api_keys"
	// PurgeInbound deletes inbound events that are not pending.
	PurgeInbound Purgeable = "inbound_events"
	// PurgeRejections deletes what is kept of refused requests.
	PurgeRejections Purgeable = "source_rejections"
	// PurgeSources deletes sources that were deleted before the time and have no inbound events.
	PurgeSources Purgeable = "sources"
	// PurgeAudit deletes the trail of what was done before the time.
	PurgeAudit Purgeable = "audit"
	// PurgeCalls deletes what calls with an Idempotency-Key were answered.
	PurgeCalls Purgeable = "idempotent_calls"
	// PurgeSessions deletes sessions that expired before the time.
	PurgeSessions Purgeable = "sessions"
)

// Purgeables lists everything that can be purged, what refers to something before that.
func Purgeables() []Purgeable {
	return []Purgeable{
		PurgeDeliveries, PurgeEvents, PurgeRecoveries, PurgeWebhooks, PurgeKeys, PurgeInbound, PurgeRejections, PurgeSources, PurgeAudit, PurgeCalls,
		PurgeSessions,
	}
}

// Inbound says whether it belongs to receiving, rather than to sending.
func (p Purgeable) Inbound() bool {
	return p == PurgeInbound || p == PurgeRejections || p == PurgeSources
}

// Purge asks for one batch of old rows to be deleted.
type Purge struct {
	// What is deleted; deliveries when empty.
	What Purgeable
	// Before is the time from which on everything stays.
	Before time.Time
	// After is the Last of the batch before this one; empty for the first.
	After string
	// Limit is how many rows the batch looks at.
	Limit int
}

// Purged is what became of one batch.
type Purged struct {
	// Deleted counts the rows that went, Attempts the attempts that went with deliveries.
	Deleted, Attempts int64
	// Last is the ID behind which the next batch goes on; empty when there is nothing more.
	Last string
}
