package store_test

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// A month's statistics of a log as large as the variable says: what they count, how long it takes to count the hours and to
// ask for them, and the plans. `make statistics` shows it on 1,000,000 attempts.
func TestStatisticsOfALargeLog(t *testing.T) {
	t.Parallel()
	attempts, err := strconv.Atoi(os.Getenv(attemptsVariable))
	if err != nil {
		t.Skipf("%s says how many attempts: the hours of sixty days take a while", attemptsVariable)
	}
	r := newRetentionRig(t, storetest.PostgresURL(t), filling{Deliveries: attempts * 4 / 5})
	began, hours := time.Now(), 0
	for more := true; more; hours++ {
		more, err = r.store.CountHour(t.Context())
		require.NoError(t, err)
	}
	t.Logf("%d attempts of %d hours counted in %s", attempts, hours-1, time.Since(began).Round(time.Millisecond))
	var rows, size int64
	require.NoError(t, r.db.Raw("SELECT count(*) FROM statistics").Scan(&rows).Error)
	require.NoError(t, r.db.Raw("SELECT pg_total_relation_size('statistics')").Scan(&size).Error)
	t.Logf("%d rows, %d KiB", rows, size>>10)
	require.NoError(t, r.db.Exec("ANALYZE statistics").Error)

	to := r.to.Truncate(24 * time.Hour)
	month := models.StatisticsFilter{From: to.AddDate(0, 0, -30), To: to}
	for _, asked := range []struct {
		name, column, value string
		change              func(*models.StatisticsFilter)
	}{
		{"everything", "''", "", func(*models.StatisticsFilter) {}},
		{"an owner", "d.owner_id", r.webhooks[0].OwnerID, func(f *models.StatisticsFilter) { f.OwnerIDs = []string{r.webhooks[0].OwnerID} }},
		{"a webhook", "d.webhook_id", r.webhooks[0].ID, func(f *models.StatisticsFilter) { f.WebhookIDs = []string{r.webhooks[0].ID} }},
		{"a type", "d.event", "order.kind0", func(f *models.StatisticsFilter) { f.Events = []string{"order.kind0"} }},
	} {
		filter := month
		asked.change(&filter)
		var took []time.Duration
		var sum models.Tally
		for range 20 {
			sum = models.Tally{}
			began := time.Now()
			hours, err := r.store.Statistics(t.Context(), everything, filter)
			require.NoError(t, err)
			for _, tally := range hours {
				sum.Add(*tally)
			}
			took = append(took, time.Since(began))
		}
		var want struct{ Attempts, Failed, GivenUp int64 }
		require.NoError(t, r.db.Raw(`SELECT count(*) AS attempts, count(*) FILTER (WHERE a.error_class <> '') AS failed, count(a.gave_up) AS given_up
			FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
			WHERE a.started_at >= ? AND a.started_at < ? AND NOT d.test AND `+asked.column+` = ?`, month.From, month.To, asked.value).Scan(&want).Error)
		require.Equal(t, want.Attempts, sum.Attempts, asked.name)
		require.Equal(t, want.Failed, sum.Failed, asked.name)
		require.Equal(t, want.GivenUp, sum.GivenUp, asked.name)
		slices.Sort(took)
		p95, _ := sum.Duration.Quantile(0.95)
		t.Logf("a month of %s: %d attempts, p95 %d ms; asked in %s, at most %s", asked.name, sum.Attempts, p95, took[10].Round(time.Microsecond), took[19].Round(time.Microsecond))
	}
	r.overview(t, month)
	r.sent.take()
	_, err = r.store.Statistics(t.Context(), everything, month)
	require.NoError(t, err)
	for _, statement := range r.sent.take() {
		t.Log(statement.sql + "\n" + statement.explain(t, r.db, "ANALYZE, COSTS OFF"))
	}
}

// overview tells how long it takes to ask for what the console's first page shows, and the plans.
func (r *retentionRig) overview(t *testing.T, month models.StatisticsFilter) {
	t.Helper()
	for name, scope := range map[string]models.Scope{"everything": everything, "an owner": {OwnerID: r.webhooks[0].OwnerID}} {
		for part, ask := range map[string]func() error{
			"overview": func() error { _, err := r.store.Overview(t.Context(), scope, month); return err },
			"backlog":  func() error { _, err := r.store.Backlog(t.Context(), scope); return err },
			"unmatched": func() error {
				_, err := r.store.UnmatchedEvents(t.Context(), scope, month.From, month.To)
				return err
			},
		} {
			r.sent.take()
			var took []time.Duration
			for range 20 {
				began := time.Now()
				require.NoError(t, ask())
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			t.Logf("the %s of %s: asked in %s, at most %s", part, name, took[10].Round(time.Microsecond), took[19].Round(time.Microsecond))
			sent := r.sent.take()
			for _, statement := range sent[:len(sent)/20] {
				t.Log(statement.sql + "\n" + statement.explain(t, r.db, "ANALYZE, COSTS OFF"))
			}
		}
	}
}
