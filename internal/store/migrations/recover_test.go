package migrations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
)

// What ended before the migration has its end and its cause afterwards.
func TestEndsFromBeforeAreFilledIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db, dialect := openAt(t, url, 12)
		exec := func(statement string) {
			t.Helper()
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		for id, ended := range map[string]string{
			"given-up": `'permanently_failed', ''`, "untried": `'cancelled', 'the webhook is paused'`,
			"disabled": `'cancelled', 'the webhook is disabled: the receiver answered 410 Gone'`,
			"deleted":  `'cancelled', 'the webhook was deleted'`, "asked": `'cancelled', 'cancelled on request'`,
			"waits": `'failed', ''`, "delivered": `'delivered', ''`,
		} {
			exec(`INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, cancel_reason, attempt_count, test, created_at)
				VALUES ('` + id + `', 'e', 'w', 'o', 'a', 'h', ` + ended + `, 2, FALSE, '2026-01-02 03:00:00+00:00')`)
		}
		for _, attempt := range []string{`'1', 'given-up', 1, '2026-01-02 03:00:01.5+00:00', 10`, `'2', 'given-up', 2, '2026-01-02 03:01:02.123456+00:00', 6001`,
			`'3', 'disabled', 1, '2026-01-02 03:00:59.999+00:00', 1`} {
			exec(`INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, trigger) VALUES (` + attempt + `, 'schedule')`)
		}
		exec(`INSERT INTO recoveries (id, webhook_id, owner_id, since, until, include, rate, status, created_at, updated_at)
			VALUES ('r', 'w', 'o', '2026-01-02', '2026-01-02', 'permanently_failed', 1, 'running', '2026-01-02', '2026-01-02')`)

		_, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		format := "to_char(ended_at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS')"
		if dialect == "sqlite" {
			format = "strftime('%H:%M:%f', ended_at)"
		}
		rows, err := db.QueryContext(t.Context(), "SELECT id, cancel_cause, COALESCE("+format+", '') FROM deliveries ORDER BY id")
		require.NoError(t, err)
		defer rows.Close()
		got := map[string]string{}
		for rows.Next() {
			var id, cause, ended string
			require.NoError(t, rows.Scan(&id, &cause, &ended))
			got[id] = strings.TrimSpace(cause + " " + ended)
		}
		require.NoError(t, rows.Err())
		givenUp, disabled := "03:01:08.124", "inactive 03:01:00.000"
		if dialect == "sqlite" { // to the millisecond above
			givenUp, disabled = "03:01:08.125", "inactive 03:01:00.001"
		}
		require.Equal(t, map[string]string{
			"given-up": givenUp, "untried": "inactive 03:00:00.000", "disabled": disabled, "deleted": "deleted 03:00:00.000",
			"asked": "request 03:00:00.000", "waits": "", "delivered": "",
		}, got)
		var include string
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT include FROM recoveries").Scan(&include))
		require.Equal(t, "failed", include)
	})
}
