package store_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// filling says what fill writes.
type filling struct {
	// Deliveries is how many, of half as many events. Every fourth delivery has two attempts, the others one.
	Deliveries int
	// Inbound is how many inbound events.
	Inbound int
	// From and To are the times of the first and the last row.
	From, To time.Time
}

// fill writes a log as a PostgreSQL database has it that has been in use for a while, for the webhooks and
// sources that are there, most of it for the first ones. One delivery of a hundred still waits, and one inbound
// event of a hundred is pending.
func fill(t testing.TB, db *gorm.DB, size filling) {
	t.Helper()
	interval := size.To.Sub(size.From).Milliseconds()
	// An ID's first ten digits are its time; decimal digits are digits of its alphabet too.
	for _, statement := range []string{`
		CREATE FUNCTION fill_id(kind text, ms bigint, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
			SELECT kind || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', ((ms >> (45 - 5*i)) & 31)::int + 1, 1), ''
				ORDER BY i) || 'e' || lpad(n::text, 15, '0') FROM generate_series(0, 9) i $$`, `
		CREATE FUNCTION fill_ms(n bigint, of bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
			SELECT @from + @interval * n / of $$`, `
		CREATE FUNCTION fill_rank(n bigint, of bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
			SELECT floor(of * power(n * 6007 % 1000 / 1000.0, 3))::bigint $$`, `
		INSERT INTO events (id, owner_id, event, data, deliveries, created_at)
		SELECT fill_id('evt', ms, n), '', 'order.kind' || fill_rank(n, 50), convert_to(repeat('{"a":1}', 40), 'UTF8'), 2, to_timestamp(ms / 1000.0)
		FROM (SELECT n, fill_ms(n * 2, @deliveries) AS ms FROM generate_series(0, @deliveries / 2 - 1) n) x`, `
		INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, last_status_code, test, run_id, created_at)
		SELECT fill_id('dlv', ms, n), fill_id('evt', fill_ms(n / 2 * 2, @deliveries), n / 2), w.id, w.owner_id,
		       'order.kind' || fill_rank(n / 2, 50), 'example.com',
		       CASE WHEN n % 200 = 0 THEN 'pending' WHEN n % 200 = 1 THEN 'failed' WHEN n % 50 = 2 THEN 'permanently_failed'
		            WHEN n % 100 = 3 THEN 'cancelled' ELSE 'delivered' END,
		       1, 200, FALSE, '5cf0b7a2-1111-2222-3333-444455556666', to_timestamp(ms / 1000.0)
		FROM (SELECT n, fill_ms(n / 2 * 2, @deliveries) AS ms FROM generate_series(0, @deliveries - 1) n) x
		JOIN (SELECT id, owner_id, row_number() OVER (ORDER BY id) - 1 AS k, count(*) OVER () AS of FROM webhooks) w
		ON w.k = fill_rank(n * 7919, w.of)`, `
		INSERT INTO attempts (id, delivery_id, number, trigger, status_code, error_class, duration_ms, response_body, remote_addr, started_at,
		                      webhook_key, owner_key, gave_up)
		SELECT fill_id('att', ms, n * 2 + number), d.id, number, 'schedule', 200,
		       CASE WHEN n % 200 = 1 OR n % 50 = 2 THEN (ARRAY['http_status', 'timeout', 'tls'])[1 + fill_rank(n, 3)] ELSE '' END,
		       1 + fill_rank(n * 31, 900), convert_to(repeat('ok', 50), 'UTF8'), '192.0.2.1:443', to_timestamp(ms / 1000.0),
		       right(d.webhook_id, 7), right(d.owner_id, 7), CASE WHEN n % 50 = 2 THEN TRUE END
		FROM (SELECT n, fill_ms(n / 2 * 2, @deliveries) AS ms FROM generate_series(0, @deliveries - 1) n) x
		JOIN deliveries d ON d.id = fill_id('dlv', ms, n)
		CROSS JOIN generate_series(1, 2) number WHERE number = 1 OR n % 4 = 0`, `
		INSERT INTO inbound_events (id, source_id, owner_id, provider_id, type, headers, body, status, attempts, created_at)
		SELECT fill_id('inb', ms, n), s.id, s.owner_id, n::text, 'kind' || fill_rank(n, 50), '{}', convert_to(repeat('{"a":1}', 40), 'UTF8'),
		       CASE WHEN n % 100 = 0 THEN 'pending' WHEN n % 100 = 1 THEN 'failed' ELSE 'processed' END, 1, to_timestamp(ms / 1000.0)
		FROM (SELECT n, fill_ms(n, @inbound) AS ms FROM generate_series(0, @inbound - 1) n) x
		JOIN (SELECT id, owner_id, row_number() OVER (ORDER BY id) - 1 AS k, count(*) OVER () AS of FROM sources) s
		ON s.k = fill_rank(n * 7919, s.of)`,
		`
		INSERT INTO audit (id, owner_id, actor, admin, action, object_id, fields, address, count, created_at)
		SELECT fill_id('aud', ms, n), s.owner_id, 'kind' || fill_rank(n, 50), FALSE, 'kind' || fill_rank(n, 50), '', '[' || repeat('"name",', 60) || '"url"]', '', 1, to_timestamp(ms / 1000.0)
		FROM (SELECT n, fill_ms(n, @inbound) AS ms FROM generate_series(0, @inbound - 1) n) x
		JOIN (SELECT owner_id, row_number() OVER (ORDER BY id) - 1 AS k, count(*) OVER () AS of FROM sources) s
		ON s.k = fill_rank(n * 7919, s.of)`,
		`VACUUM ANALYZE`,
	} {
		require.NoError(t, db.Exec(inlined(statement, map[string]int64{
			"from": size.From.UnixMilli(), "interval": interval,
			"deliveries": int64(size.Deliveries), "inbound": int64(size.Inbound),
		})).Error)
	}
}

// fillWords has all deliveries of the log found by "everything" and by their own number, one of fifty by what failed ones
// say, one of a thousand by "seldom", and the newest hundredth by "lately", the oldest by "once".
func fillWords(t testing.TB, db *gorm.DB) {
	t.Helper()
	for _, statement := range []string{`
		INSERT INTO delivery_words (delivery_id, word, owner_key)
		SELECT d.id, word, right(d.owner_id, 7)
		FROM (SELECT id, owner_id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS of FROM deliveries) d
		CROSS JOIN LATERAL words_of(concat_ws(' ', 'everything', 'number' || n, CASE WHEN n % 50 = 2 THEN 'receiver answered 500' END,
			CASE WHEN n % 1000 = 1 THEN 'seldom' END, CASE WHEN n > of * 99 / 100 THEN 'lately' END, CASE WHEN n <= of / 100 THEN 'once' END)) word`,
		`VACUUM ANALYZE delivery_words`,
	} {
		require.NoError(t, db.Exec(statement).Error)
	}
}

// fillWebhooks makes owners with webhooks and sources for fill to write of.
func fillWebhooks(t testing.TB, store *store.Store, owners, webhooksEach int) (webhooks []models.Webhook, sources []models.Source) {
	t.Helper()
	for range owners {
		owner := storetest.Owner(t, store, "acme")
		for range webhooksEach {
			webhooks = append(webhooks, makeWebhook(t, store, owner.ID, "order.kind1"))
		}
		source := models.Source{OwnerID: owner.ID, Name: "s", Scheme: "stripe", EventPrefix: "order", Active: true}
		require.NoError(t, store.CreateSource(t.Context(), &source, []string{"whsec_x"}))
		sources = append(sources, source)
	}
	return webhooks, sources
}

// inlined writes numbers in the place of their names: a function's body cannot have parameters of a statement.
func inlined(statement string, values map[string]int64) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "@"+name, strconv.FormatInt(value, 10)+"::bigint")
	}
	return strings.NewReplacer(pairs...).Replace(statement)
}
