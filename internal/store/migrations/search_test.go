package migrations_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/store/migrations"
	"github.com/postrider/postrider/internal/testdb"
)

// What was there before the migration is found by its words afterwards.
func TestWordsFromBeforeAreFilledIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		db, dialect := openAt(t, url, 21)
		exec := func(statement string) {
			t.Helper()
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		for id, metadata := range map[string]string{"plain": "{}", "meta": `{"a":"Card-42","b":"42"}`} {
			exec(`INSERT INTO events (id, owner_id, event, data, deliveries, created_at, metadata)
				VALUES ('` + id + `', '', 'a', '1', 2, '2026-01-02 03:00:00+00:00', '` + metadata + `')`)
			for _, reason := range []string{"", "refused"} {
				exec(`INSERT INTO deliveries (id, event_id, webhook_id, owner_id, event, host, status, attempt_count, test, created_at, last_error)
					VALUES ('` + id + reason + `', '` + id + `', 'w', 'own_7654321', 'a', 'h', 'failed', 2, FALSE, '2026-01-02 03:00:00+00:00', '` + reason + `')`)
			}
		}
		_, err := migrations.Up(t.Context(), db, dialect)
		require.NoError(t, err)
		rows, err := db.QueryContext(t.Context(), "SELECT delivery_id || ' ' || word || ' ' || owner_key FROM delivery_words ORDER BY delivery_id, word")
		require.NoError(t, err)
		defer rows.Close()
		var got []string
		for rows.Next() {
			var line string
			require.NoError(t, rows.Scan(&line))
			got = append(got, line)
		}
		require.NoError(t, rows.Err())
		require.Equal(t, []string{
			"meta 42 7654321", "meta card 7654321", "metarefused 42 7654321", "metarefused card 7654321", "metarefused refused 7654321",
			"plainrefused refused 7654321",
		}, got)
	})
}
