package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/postrider/postrider/models"
)

// publishBatchSQL stores many events and their deliveries in one statement: whatever the number of events and
// of webhooks, it is one message to PostgreSQL and one commit. The answer has a row for each event, and all that the
// first attempts need of each delivery, so that nothing is loaded for them; it has no delivery of an event that has
// more than the process will attempt. An event is not stored when its idempotency key is used already, nor when one of
// its webhooks has a filter, nor when it has more deliveries than may share a batch: the search ends there.
//
// The first LIMIT leaves nothing out. PostgreSQL, which does not know it when it plans, expects few events for whatever
// values, and so keeps one plan; to plan this statement takes longer than to execute it.
func publishBatchSQL(webhooks string) string {
	return `
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::timestamptz[], ?::text[], ?::text[], ?::bigint[], ?::timestamptz[],
                         ?::text[], ?::timestamptz[], ?::timestamptz[], ?::text[], ?::text[])
        AS n (id, owner_id, event, data, idempotency_key, created_at, patterns, prefix, start, leased_until,
              webhook_ids, occurred_at, deliver_at, metadata, traceparent)
    LIMIT (SELECT ?::bigint)),
matched AS MATERIALIZED (
    SELECT n.id AS event_id, w.id, w.owner_id, w.host, w.filter <> '' AS filtered,
           w.ordered AND (n.deliver_at IS NULL OR n.deliver_at <= n.created_at) AS ordered,
           CAST((row_number() OVER (PARTITION BY n.id ORDER BY w.id) + n.start) & ? AS integer) AS n
    FROM new n CROSS JOIN LATERAL (` + webhooks + `
        LIMIT ?) w),
counted AS MATERIALIZED (
    SELECT n.id, m.deliveries, m.filtered
    FROM new n CROSS JOIN LATERAL (SELECT count(*) AS deliveries, COALESCE(bool_or(m.filtered), FALSE) AS filtered FROM matched m WHERE m.event_id = n.id) m),
stored AS (
    INSERT INTO events (id, owner_id, event, data, idempotency_key, deliveries, created_at, webhook_ids, occurred_at, deliver_at, metadata, traceparent)
    SELECT n.id, n.owner_id, n.event, n.data, n.idempotency_key, c.deliveries, n.created_at, n.webhook_ids, n.occurred_at, n.deliver_at, n.metadata, n.traceparent
    FROM new n JOIN counted c ON c.id = n.id
    WHERE c.deliveries <= ? AND NOT c.filtered
    ON CONFLICT (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id),` + queueUpTogetherSQL + `
made AS (
    INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, next_attempt_at, leased_until, test, created_at, place)
    SELECT e.prefix || ` + digitsSQL + `, e.id, n.id, n.owner_id, e.event, n.host, 'pending', 0,
           CASE WHEN e.deliver_at > e.created_at THEN e.deliver_at END, CASE WHEN p.place IS NULL THEN e.leased_until END, FALSE, e.created_at, p.place
    FROM stored s JOIN new e ON e.id = s.id JOIN matched n ON n.event_id = e.id
    LEFT JOIN placed p ON p.event_id = n.event_id AND p.webhook_id = n.id
    RETURNING id, event_id, webhook_id, owner_id, host, place)
SELECT c.id, s.id IS NOT NULL, c.deliveries, c.filtered, COALESCE(d.id, ''), COALESCE(d.webhook_id, ''), COALESCE(d.owner_id, ''),
       COALESCE(d.host, ''), COALESCE(w.url, ''), COALESCE(w.headers, '{}'), w.sealed_headers, w.retry_schedule, w.rate_limit,
       COALESCE(w.timeout_ms, 0), COALESCE(w.format, ''), w.credentials,
       w.secret, w.previous_secret, w.previous_secret_until, w.earlier_secrets, COALESCE(w.transform, ''),
       CASE WHEN w.transform <> '' THEN w.external_id END, CASE WHEN w.transform <> '' THEN w.metadata END,
       COALESCE(h.receiver, 0), COALESCE(h.consecutive_failures, 0), h.first_failure_at, h.last_failure_at, h.last_success_at, h.slow_at, h.throttled_until,
       h.failing_since, d.place, COALESCE(w.ordered, FALSE), COALESCE(w.on_failure, '')
FROM counted c LEFT JOIN stored s ON s.id = c.id
LEFT JOIN made d ON d.event_id = s.id AND c.deliveries <= ?
LEFT JOIN webhooks w ON w.id = d.webhook_id
LEFT JOIN webhook_health h ON h.webhook_id = d.webhook_id`
}

// Events of owners share batches; one that is broadcast does not, so that it needs no condition that keeps owners apart.
// Only a batch in which an event names its webhooks looks for these too.
var (
	publishOwnersSQL    = publishBatchSQL(matchingOwnersSQL)
	publishNamedSQL     = publishBatchSQL(matchingOwnersSQL + "\n        UNION ALL" + namedSQL("= ANY (string_to_array(n.webhook_ids, ' '))", "n.owner_id"))
	publishBroadcastSQL = publishBatchSQL(matchingSQL(ofPatternsSQL, ""))
)

// An event that names its webhooks has no patterns.
const ofPatternsSQL = "= ANY (string_to_array(n.patterns, ' '))"

var matchingOwnersSQL = matchingSQL(ofPatternsSQL, "n.owner_id")

// publishSQL is the statement for a batch.
func publishSQL(events []models.Event) string {
	switch {
	case events[0].OwnerID == "":
		return publishBroadcastSQL
	case slices.ContainsFunc(events, func(event models.Event) bool { return len(event.WebhookIDs) > 0 }):
		return publishNamedSQL
	}
	return publishOwnersSQL
}

const (
	// sharedDeliveries is how many deliveries an event may have that shares a batch: the others in it wait for them,
	// and their webhooks' settings are all in memory at once.
	sharedDeliveries = 20
	// anyDeliveries is more than there can be.
	anyDeliveries = math.MaxInt32
)

// publishOutcome answers one event of a batch.
type publishOutcome struct {
	published models.Published
	// keyUsed says that an event with the same idempotency key is stored already, wide that the event has too many
	// deliveries to share a batch, filtered that filters have to be asked first. None of these is stored.
	keyUsed, wide, filtered bool
}

// publishBatch stores those events that have few deliveries.
func (s *Store) publishBatch(ctx context.Context, events []models.Event) ([]publishOutcome, error) {
	return s.publishTogether(s.db.WithContext(ctx), events, sharedDeliveries, s.mostDeliveries)
}

// publishWide stores one event, however many deliveries it has.
func (s *Store) publishWide(ctx context.Context, events []models.Event) ([]publishOutcome, error) {
	return s.publishTogether(s.db.WithContext(ctx), events, anyDeliveries, s.mostDeliveries)
}

// publishTogether stores events in one statement. Those with more than most deliveries are not stored; of those with more
// than answered deliveries, these are not returned.
func (s *Store) publishTogether(db *gorm.DB, events []models.Event, most, answered int) ([]publishOutcome, error) {
	rows, err := db.Raw(publishSQL(events), append(s.publishArguments(inLockOrder(events)), most+1, most, answered)...).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	outcomes := make([]publishOutcome, len(events))
	positions := make(map[string]int, len(events))
	for i, event := range events {
		positions[event.ID] = i
		outcomes[i].published.Event = event
	}
	for rows.Next() {
		answer, err := scanPublished(rows)
		if err != nil {
			return nil, err
		}
		position, asked := positions[answer.eventID]
		if !asked {
			return nil, fmt.Errorf("the database stored an event %s that nobody published", answer.eventID)
		}
		outcome := &outcomes[position]
		outcome.filtered, outcome.wide = answer.filtered, answer.deliveries > most
		outcome.keyUsed = !answer.stored && !outcome.wide && !outcome.filtered
		outcome.published.Event.DeliveryCount = answer.deliveries
		if answer.job.Delivery.ID != "" {
			add(&outcome.published, answer.job)
		}
	}
	return outcomes, rows.Err()
}

// add completes a delivery of the event and adds it.
func add(p *models.Published, job models.Job) {
	delivery := &job.Delivery
	delivery.EventID, delivery.Event, delivery.CreatedAt = p.Event.ID, p.Event.Type, p.Event.CreatedAt
	delivery.Status, delivery.NextAttemptAt = models.StatusPending, p.Event.Due()
	job.Event = p.Event
	p.Deliveries = append(p.Deliveries, *delivery)
	p.Jobs = append(p.Jobs, job)
}

// inLockOrder returns the events in the order of their owners and idempotency keys: two transactions with the same keys in
// two orders would each wait for the other.
func inLockOrder(events []models.Event) []models.Event {
	return slices.SortedStableFunc(slices.Values(events), func(a, b models.Event) int {
		return cmp.Or(strings.Compare(a.OwnerID, b.OwnerID), strings.Compare(keyOf(a), keyOf(b)))
	})
}

// publishArguments are those of publishBatchSQL, but for the last, which are bounds. Pointers keep gorm from taking arrays
// for lists of values.
func (s *Store) publishArguments(events []models.Event) []any {
	n := len(events)
	ids, owners, types, data := make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	keys, times, prefixes, starts := make([]*string, n), make([]time.Time, n), make([]string, n), make([]int64, n)
	leases, patterns := make([]*time.Time, n), make([]string, n)
	named, occurred, due := make([]string, n), make([]*time.Time, n), make([]*time.Time, n)
	metadata, traces := make([]string, n), make([]string, n)
	for i, event := range events {
		ids[i], owners[i], types[i], data[i] = event.ID, event.OwnerID, event.Type, event.Data
		keys[i], times[i] = event.IdempotencyKey, event.CreatedAt
		prefixes[i], starts[i] = countedIDs(event)
		leases[i] = s.leasedUntil(event)
		if named[i] = event.WebhookIDs.String(); named[i] == "" {
			patterns[i] = strings.Join(models.PatternsMatching(event.Type), " ")
		}
		occurred[i], due[i] = event.OccurredAt, event.DeliverAt
		metadata[i], traces[i] = event.Metadata.Text(), event.TraceParent
	}
	return []any{&ids, &owners, &types, &data, &keys, &times, &patterns, &prefixes, &starts, &leases, &named, &occurred, &due, &metadata, &traces, n, countedMask}
}

func keyOf(event models.Event) string {
	if event.IdempotencyKey == nil {
		return ""
	}
	return *event.IdempotencyKey
}

// publishedRow is a row of publishBatchSQL: an event and one of its deliveries, if it has any.
type publishedRow struct {
	eventID    string
	stored     bool
	deliveries int
	filtered   bool
	job        models.Job
}

func scanPublished(rows *sql.Rows) (row publishedRow, err error) {
	delivery, webhook, health := &row.job.Delivery, &row.job.Webhook, &row.job.Health
	err = rows.Scan(&row.eventID, &row.stored, &row.deliveries, &row.filtered, &delivery.ID, &delivery.WebhookID, &delivery.OwnerID,
		&delivery.Host, &webhook.URL, &webhook.Headers, &webhook.SealedHeaders, &webhook.RetrySchedule, &webhook.RateLimit,
		&webhook.TimeoutMS, &webhook.Format, &webhook.SealedCredentials,
		&webhook.Secret, &webhook.PreviousSecret, &webhook.PreviousSecretUntil, &webhook.EarlierSecrets, &webhook.Transform, &webhook.ExternalID, &webhook.Metadata,
		&health.Receiver, &health.ConsecutiveFailures, &health.FirstFailureAt, &health.LastFailureAt, &health.LastSuccessAt, &health.SlowAt,
		&health.ThrottledUntil, &health.FailingSince, &delivery.Place, &webhook.Ordered, &webhook.OnFailure)
	webhook.ID, webhook.OwnerID, webhook.Host, webhook.Active = delivery.WebhookID, delivery.OwnerID, delivery.Host, true
	health.WebhookID = delivery.WebhookID
	return row, err
}
