package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/models"
)

// recordBatchSQL writes many successes in one statement. What is in the log already, and what belongs to a
// purged delivery, changes nothing. It returns the attempts of deliveries whose event was erased, also those that were
// erased while it waited for their rows. The LIMIT leaves nothing out: PostgreSQL, which does not know it when it plans,
// expects few rows, and so looks each delivery up by its index. A plan made while the table was nearly empty would
// else read all of it, until the next ANALYZE.
const recordBatchSQL = `
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(?::text[], ?::text[], ?::integer[], ?::text[], ?::integer[], ?::bigint[], ?::bytea[], ?::text[],
                         ?::timestamptz[], ?::text[], ?::timestamptz[], ?::bytea[], ?::bytea[])
        AS n (id, delivery_id, number, trigger, status_code, duration_ms, response_body, remote_addr, started_at, run_id, delivered_at,
              request_headers, response_headers)
    LIMIT (SELECT ?::bigint)),
stored AS (
    INSERT INTO attempts (id, delivery_id, number, trigger, status_code, duration_ms, response_body, remote_addr, started_at,
                          request_headers, response_headers, webhook_key, owner_key)
    SELECT n.id, n.delivery_id, n.number, n.trigger, n.status_code, n.duration_ms,
           CASE WHEN NOT d.erased THEN n.response_body END, n.remote_addr, n.started_at,
           CASE WHEN NOT d.erased THEN n.request_headers END, CASE WHEN NOT d.erased THEN n.response_headers END, right(d.webhook_id, 7), right(d.owner_id, 7)
    FROM new n JOIN deliveries d ON d.id = n.delivery_id
    ON CONFLICT (id) DO NOTHING
    RETURNING id),
delivered AS (
UPDATE deliveries d
SET status = 'delivered', attempt_count = d.attempt_count + 1, next_attempt_at = NULL, last_status_code = n.status_code,
    last_error = '', cancel_reason = '', cancel_cause = '', run_id = n.run_id, delivered_at = n.delivered_at,
    ended_at = n.delivered_at, place = NULL
FROM new n JOIN stored s ON s.id = n.id
WHERE d.id = n.delivery_id
RETURNING n.id, d.erased)
SELECT id FROM delivered WHERE erased`

// recordBatch records plain outcomes. It leaves out, with false, a second one of the same delivery: a
// statement changes each row once.
func (s *Store) recordBatch(ctx context.Context, outcomes []models.Outcome) ([]bool, error) {
	done := make([]bool, len(outcomes))
	seen := make(map[string]bool, len(outcomes))
	first := make([]models.Outcome, 0, len(outcomes))
	for i, outcome := range outcomes {
		if id := outcome.Attempt.DeliveryID; !seen[id] {
			seen[id], done[i] = true, true
			first = append(first, outcome)
		}
	}
	// Two batches that come to the same deliveries in two orders would each wait for the other.
	slices.SortFunc(first, func(a, b models.Outcome) int { return strings.Compare(a.Attempt.DeliveryID, b.Attempt.DeliveryID) })
	var erased []string
	err := s.db.WithContext(ctx).Raw(recordBatchSQL, recordArguments(first)...).Find(&erased).Error
	if err != nil || len(erased) == 0 {
		return done, err
	}
	return done, eraseAnswers(s.db.WithContext(ctx).Where("id IN ?", erased))
}

// recordArguments are those of recordBatchSQL. Pointers keep gorm from taking arrays for lists of values.
func recordArguments(outcomes []models.Outcome) []any {
	n := len(outcomes)
	ids, deliveries, numbers, triggers := make([]string, n), make([]string, n), make([]int, n), make([]string, n)
	codes, durations, bodies, addresses := make([]*int, n), make([]int64, n), make([][]byte, n), make([]string, n)
	started, runs, delivered := make([]time.Time, n), make([]string, n), make([]time.Time, n)
	requests, answers := make([][]byte, n), make([][]byte, n)
	for i, outcome := range outcomes {
		attempt := outcome.Attempt
		ids[i], deliveries[i], numbers[i], triggers[i] = attempt.ID, attempt.DeliveryID, attempt.Number, string(attempt.Trigger)
		codes[i], durations[i], bodies[i], addresses[i] = attempt.StatusCode, attempt.DurationMS, attempt.ResponseBody, attempt.RemoteAddr
		started[i], runs[i], delivered[i] = attempt.StartedAt, outcome.RunID, outcome.AnsweredAt()
		requests[i], answers[i] = attempt.RequestHeaders, attempt.ResponseHeaders
	}
	return []any{&ids, &deliveries, &numbers, &triggers, &codes, &durations, &bodies, &addresses, &started, &runs, &delivered, &requests, &answers, n}
}
