package models

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// publishBatchSQL stores many events and their deliveries in one statement: whatever the number of events and
// of webhooks, it is one message to PostgreSQL and one commit. An event whose idempotency key is used already
// is left out of the answer. The answer has all that the first attempts need, so that nothing is loaded for
// them.
var publishBatchSQL = `
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::timestamptz[], ?::text[], ?::bigint[], ?::timestamptz[])
        AS n (id, owner_id, event, data, idempotency_key, created_at, prefix, start, leased_until)),
matched AS MATERIALIZED (
    SELECT n.id AS event_id, w.id, w.owner_id, w.host,
           CAST((row_number() OVER (PARTITION BY n.id ORDER BY w.id) + n.start) & ? AS integer) AS n
    FROM (SELECT DISTINCT a.event_id, p.webhook_id
          FROM unnest(?::text[], ?::text[]) AS a (event_id, pattern) JOIN webhook_patterns p ON p.pattern = a.pattern) m
    JOIN new n ON n.id = m.event_id JOIN webhooks w ON w.id = m.webhook_id
    WHERE w.active AND NOT w.suspended AND w.deleted_at IS NULL AND (n.owner_id = '' OR w.owner_id = n.owner_id)),
stored AS (
    INSERT INTO events (id, owner_id, event, data, idempotency_key, deliveries, created_at)
    SELECT id, owner_id, event, data, idempotency_key, (SELECT count(*) FROM matched m WHERE m.event_id = new.id), created_at
    FROM new
    ON CONFLICT (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id),
made AS (
    INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, next_attempt_at, test, created_at)
    SELECT e.prefix || ` + digitsSQL + `, e.id, n.id, n.owner_id, e.event, n.host, 'pending', 0, e.leased_until, FALSE, e.created_at
    FROM stored s JOIN new e ON e.id = s.id JOIN matched n ON n.event_id = e.id
    RETURNING id, event_id, webhook_id, owner_id, host)
SELECT s.id, COALESCE(d.id, ''), COALESCE(d.webhook_id, ''), COALESCE(d.owner_id, ''), COALESCE(d.host, ''), COALESCE(w.url, ''),
       COALESCE(w.headers, '{}'), w.retry_schedule, w.rate_limit, w.secret, w.previous_secret, w.previous_secret_until,
       COALESCE(h.receiver, 0), COALESCE(h.consecutive_failures, 0), h.first_failure_at, h.last_failure_at, h.last_success_at, h.slow_at, h.throttled_until,
       h.failing_since
FROM stored s LEFT JOIN made d ON d.event_id = s.id LEFT JOIN webhooks w ON w.id = d.webhook_id
LEFT JOIN webhook_health h ON h.webhook_id = d.webhook_id`

// publishOutcome answers one event of a batch.
type publishOutcome struct {
	published Published
	// keyUsed says that an event with the same idempotency key is stored already.
	keyUsed bool
}

// publish stores an event together with those that are published at the same time.
func (s *Store) publish(ctx context.Context, event Event) (Published, error) {
	if s.publishing == nil {
		return s.publishAlone(ctx, event)
	}
	outcome, err := s.publishing.do(ctx, event)
	if err == nil && outcome.keyUsed {
		err = errKeyUsed
	}
	return outcome.published, err
}

func (s *Store) publishBatch(ctx context.Context, events []Event) ([]publishOutcome, error) {
	rows, err := s.db.WithContext(ctx).Raw(publishBatchSQL, s.publishArguments(events)...).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	outcomes := make([]publishOutcome, len(events))
	positions := make(map[string]int, len(events))
	for i, event := range events {
		positions[event.ID] = i
		outcomes[i] = publishOutcome{published: Published{Event: event}, keyUsed: true}
	}
	for rows.Next() {
		eventID, dispatch, err := scanDispatch(rows)
		if err != nil {
			return nil, err
		}
		position, asked := positions[eventID]
		if !asked {
			return nil, fmt.Errorf("the database stored an event %s that nobody published", eventID)
		}
		outcome := &outcomes[position]
		outcome.keyUsed = false
		if dispatch.Delivery.ID != "" {
			outcome.published.add(dispatch)
		}
	}
	for _, outcome := range outcomes {
		for i := range outcome.published.Dispatches {
			outcome.published.Dispatches[i].Event = outcome.published.Event
		}
	}
	return outcomes, rows.Err()
}

// add completes a delivery of the event and adds it.
func (p *Published) add(dispatch Dispatch) {
	delivery := &dispatch.Delivery
	delivery.EventID, delivery.Event, delivery.CreatedAt = p.Event.ID, p.Event.Type, p.Event.CreatedAt
	delivery.Status = StatusPending
	p.Event.DeliveryCount++
	p.Deliveries = append(p.Deliveries, *delivery)
	p.Dispatches = append(p.Dispatches, dispatch)
}

// publishArguments are those of publishBatchSQL. Pointers keep gorm from taking arrays for lists of values. The
// events are in the order of their owners and idempotency keys: two batches with the same keys in two orders
// would each wait for the other.
func (s *Store) publishArguments(events []Event) []any {
	events = slices.SortedStableFunc(slices.Values(events), func(a, b Event) int {
		return cmp.Or(strings.Compare(a.OwnerID, b.OwnerID), strings.Compare(keyOf(a), keyOf(b)))
	})
	n := len(events)
	ids, owners, types, data := make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	keys, times, prefixes, starts := make([]*string, n), make([]time.Time, n), make([]string, n), make([]int64, n)
	leases := make([]*time.Time, n)
	var askedBy, patterns []string
	for i, event := range events {
		ids[i], owners[i], types[i], data[i] = event.ID, event.OwnerID, event.Type, event.Data
		keys[i], times[i] = event.IdempotencyKey, event.CreatedAt
		prefixes[i], starts[i] = countedIDs(event)
		leases[i] = s.leasedUntil(event)
		for _, pattern := range patternsMatching(event.Type) {
			askedBy, patterns = append(askedBy, event.ID), append(patterns, pattern)
		}
	}
	return []any{&ids, &owners, &types, &data, &keys, &times, &prefixes, &starts, &leases, countedMask, &askedBy, &patterns}
}

func keyOf(event Event) string {
	if event.IdempotencyKey == nil {
		return ""
	}
	return *event.IdempotencyKey
}

// leasedUntil is until when no sweep takes an event's deliveries for forgotten; nil where that is no question.
func (s *Store) leasedUntil(event Event) *time.Time {
	if s.lease == 0 {
		return nil
	}
	until := event.CreatedAt.Add(s.lease)
	return &until
}

// countedIDs returns what the IDs of an event's deliveries have in common, and where the database begins to
// count in the rest.
func countedIDs(event Event) (prefix string, start int64) {
	id := NewID(KindDelivery, event.CreatedAt)
	return id[:len(id)-countedDigits], rand.Int64N(countedMask + 1) //nolint:gosec // spreads the IDs, guards nothing
}

// scanDispatch reads a row of publishBatchSQL.
func scanDispatch(rows *sql.Rows) (eventID string, dispatch Dispatch, err error) {
	delivery, webhook, health := &dispatch.Delivery, &dispatch.Webhook, &dispatch.Health
	err = rows.Scan(&eventID, &delivery.ID, &delivery.WebhookID, &delivery.OwnerID, &delivery.Host, &webhook.URL,
		&webhook.Headers, &webhook.RetrySchedule, &webhook.RateLimit, &webhook.Secret, &webhook.PreviousSecret, &webhook.PreviousSecretUntil,
		&health.Receiver, &health.ConsecutiveFailures, &health.FirstFailureAt, &health.LastFailureAt, &health.LastSuccessAt, &health.SlowAt,
		&health.ThrottledUntil, &health.FailingSince)
	webhook.ID, webhook.OwnerID, webhook.Host, webhook.Active = delivery.WebhookID, delivery.OwnerID, delivery.Host, true
	health.WebhookID = delivery.WebhookID
	return eventID, dispatch, err
}
