package store_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// attemptsVariable names the environment variable with the number of attempts that the log holds in
// TestRetentionWhileDeliveriesGoOn; 1000000 is what docs/retention.md shows.
const attemptsVariable = "POSTRIDER_TEST_ATTEMPTS"

// retentionRig is a PostgreSQL database with a log of 60 days.
type retentionRig struct {
	db       *gorm.DB
	store    *store.Store
	sent     *statements
	webhooks []models.Webhook
	sources  []models.Source
	from, to time.Time
}

func newRetentionRig(t *testing.T, url string, size filling) *retentionRig {
	t.Helper()
	r := &retentionRig{db: storetest.Open(t, url), sent: &statements{}}
	r.store = storetest.New(t, r.db, store.Config{})
	r.webhooks, r.sources = fillWebhooks(t, r.store, 20, 5)
	r.to = r.store.Now().Add(-time.Hour)
	r.from = r.to.Add(-60 * 24 * time.Hour)
	size.From, size.To = r.from, r.to
	fill(t, r.db, size)
	require.NoError(t, r.db.Use(r.sent))
	return r
}

// manyIDs are the values of a batch in a plan.
var manyIDs = regexp.MustCompile(`'\{[^}]*\}'`)

// purgeAll deletes everything older than a time and returns how many rows that were and how long each batch
// took.
func (r *retentionRig) purgeAll(t *testing.T, before time.Time) (rows int64, took []time.Duration) {
	t.Helper()
	for _, what := range models.Purgeables() {
		for after, more := "", true; more; more = after != "" {
			began := time.Now()
			purged, err := r.store.Purge(t.Context(), models.Purge{What: what, Before: before, After: after, Limit: 1000})
			require.NoError(t, err)
			if purged.Deleted > 0 {
				took = append(took, time.Since(began))
			}
			rows += purged.Deleted + purged.Attempts
			after = purged.Last
		}
	}
	return rows, took
}

// Publishing and recording go on while a purge runs, as fast as it can, over 60 days of log: none of their
// statements waits for a lock for more than 100 ms, or PostgreSQL would end it with an error.
func TestRetentionWhileDeliveriesGoOn(t *testing.T) {
	t.Parallel()
	attempts := 10_000
	if text := os.Getenv(attemptsVariable); text != "" {
		var err error
		attempts, err = strconv.Atoi(text)
		require.NoError(t, err, attemptsVariable)
	}
	url := storetest.PostgresURL(t)
	r := newRetentionRig(t, url, filling{Deliveries: attempts * 4 / 5, Inbound: attempts / 10})
	before := r.to.Add(-30 * 24 * time.Hour)
	r.explain(t, before)

	publishers := storetest.New(t, storetest.Open(t, url+"&lock_timeout=100"), store.Config{})
	var owners []string
	for _, webhook := range r.webhooks {
		if !slices.Contains(owners, webhook.OwnerID) {
			owners = append(owners, webhook.OwnerID)
		}
	}
	quiet := deliver(t, publishers, owners[1:4], func() {
		for range attempts / 1000 {
			require.NoError(t, deliverOne(t.Context(), publishers, owners[0], map[string][]time.Duration{}))
		}
	})
	waits := &lockWaits{}
	var rows int64
	var took []time.Duration
	began := time.Now()
	busy := deliver(t, publishers, owners[1:4], func() {
		stop := waits.watch(t, r.db)
		rows, took = r.purgeAll(t, before)
		stop()
	})
	total := time.Since(began)
	require.NotZero(t, rows)
	r.requirePurged(t, before)

	slices.Sort(took)
	t.Logf("%d rows in %s, %d a second, %d batches: median %s, 99%% %s, max %s", rows, total.Round(time.Millisecond),
		int64(float64(rows)/total.Seconds()), len(took), quantile(took, 50), quantile(took, 99), quantile(took, 100))
	t.Logf("lock waits: seen in %d of %d samples, longest %s", waits.seen, waits.samples, waits.longest)
	for _, name := range []string{"publish", "record"} {
		t.Logf("%s without a purge: median %s, 99%% %s, max %s (%d); with one: median %s, 99%% %s, max %s (%d)", name,
			quantile(quiet[name], 50), quantile(quiet[name], 99), quantile(quiet[name], 100), len(quiet[name]),
			quantile(busy[name], 50), quantile(busy[name], 99), quantile(busy[name], 100), len(busy[name]))
	}
}

// requirePurged asserts that what must be gone is gone, and nothing else.
func (r *retentionRig) requirePurged(t *testing.T, before time.Time) {
	t.Helper()
	count := func(sql string, args ...any) (n int64) {
		require.NoError(t, r.db.Raw(sql, args...).Scan(&n).Error)
		return n
	}
	old := `created_at < ?`
	require.Zero(t, count("SELECT count(*) FROM deliveries WHERE status IN ('delivered', 'permanently_failed', 'cancelled') AND "+old, before))
	require.NotZero(t, count("SELECT count(*) FROM deliveries WHERE status IN ('pending', 'failed') AND "+old, before))
	require.Zero(t, count("SELECT count(*) FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id = a.delivery_id)"))
	require.Zero(t, count("SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = d.event_id)"))
	require.Zero(t, count("SELECT count(*) FROM events e WHERE "+old+
		" AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE e.id = d.event_id)", before))
	require.Zero(t, count("SELECT count(*) FROM inbound_events WHERE status <> 'pending' AND "+old, before))
	require.NotZero(t, count("SELECT count(*) FROM inbound_events WHERE status = 'pending' AND "+old, before))
	require.NotZero(t, count("SELECT count(*) FROM deliveries WHERE status = 'delivered' AND created_at >= ?", before))
}

// explain writes the plans of a batch of deliveries and of one of events into the test's log, when it is a
// measurement. What EXPLAIN ANALYZE does is undone.
func (r *retentionRig) explain(t *testing.T, before time.Time) {
	t.Helper()
	if os.Getenv(attemptsVariable) == "" {
		return
	}
	undo := errors.New("undo")
	for _, what := range []models.Purgeable{models.PurgeDeliveries, models.PurgeEvents} {
		r.sent.take()
		for range 2 { // the first one notes the statements and reads the pages, the second one is measured
			err := r.db.Transaction(func(tx *gorm.DB) error {
				if sent := r.sent.take(); len(sent) > 0 {
					for _, statement := range sent {
						if strings.Contains(statement.sql, "SAVEPOINT") {
							continue
						}
						plan := manyIDs.ReplaceAllString(statement.explain(t, tx, "ANALYZE, BUFFERS"), "'{…}'")
						t.Logf("%s: %s\n%s", what, statement.sql, plan)
					}
					return undo
				}
				store := storetest.New(t, tx, store.Config{})
				_, err := store.Purge(t.Context(), models.Purge{What: what, Before: before, Limit: 1000})
				require.NoError(t, err)
				return undo
			})
			require.ErrorIs(t, err, undo)
		}
	}
}

// deliver publishes events and records attempts of their deliveries, one event of each owner at a time, while a
// function runs. It returns how long each call took, sorted. Owners have no webhook in common, so that nobody
// waits for the health of a webhook that another one counts at.
func deliver(t *testing.T, store *store.Store, owners []string, while func()) map[string][]time.Duration {
	t.Helper()
	var stop atomic.Bool
	var all sync.WaitGroup
	logs := make([]map[string][]time.Duration, len(owners))
	errs := make([]error, len(logs))
	for i, ownerID := range owners {
		logs[i] = map[string][]time.Duration{}
		all.Go(func() {
			for !stop.Load() && errs[i] == nil {
				errs[i] = deliverOne(t.Context(), store, ownerID, logs[i])
			}
		})
	}
	while()
	stop.Store(true)
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	took := map[string][]time.Duration{}
	for _, log := range logs {
		for name, list := range log {
			took[name] = append(took[name], list...)
		}
	}
	for _, list := range took {
		slices.Sort(list)
	}
	return took
}

// deliverOne publishes an event, and records for each of its deliveries an attempt that failed and one that
// arrived.
func deliverOne(ctx context.Context, store *store.Store, ownerID string, took map[string][]time.Duration) error {
	timed := func(name string, call func() error) error {
		began := time.Now()
		err := call()
		took[name] = append(took[name], time.Since(began))
		return err
	}
	var published models.Published
	err := timed("publish", func() (err error) {
		published, err = store.Publish(ctx, models.Event{Type: "order.kind1", Data: []byte(`{}`), OwnerID: ownerID})
		return err
	})
	for _, delivery := range published.Deliveries {
		for n, status := range []models.Status{models.StatusFailed, models.StatusDelivered} {
			now := store.Now()
			outcome := models.Outcome{Status: status, RunID: "run", Attempt: models.Attempt{
				ID: models.AttemptID(delivery.ID, n, now), DeliveryID: delivery.ID, Number: n + 1,
				Trigger: models.TriggerSchedule, StartedAt: now,
			}}
			err = errors.Join(err, timed("record", func() error {
				_, err := store.RecordAttempt(ctx, outcome)
				return err
			}))
		}
	}
	return err
}

// lockWaits is what pg_stat_activity showed of statements that waited for a lock.
type lockWaits struct {
	samples, seen int
	longest       time.Duration
}

// watch looks again and again, until the function that it returns is called.
func (w *lockWaits) watch(t *testing.T, db *gorm.DB) (stop func()) {
	t.Helper()
	var stopped atomic.Bool
	var all sync.WaitGroup
	var err error
	all.Go(func() {
		for !stopped.Load() && err == nil {
			var ms []float64
			err = db.Raw(`SELECT extract(epoch FROM clock_timestamp() - query_start) * 1000 FROM pg_stat_activity
				WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&ms).Error
			w.samples++
			if len(ms) > 0 {
				w.seen++
				w.longest = max(w.longest, time.Duration(slices.Max(ms)*float64(time.Millisecond)))
			}
			_ = db.Exec("SELECT pg_sleep(0.005)").Error
		}
	})
	return func() {
		stopped.Store(true)
		all.Wait()
		require.NoError(t, err)
	}
}

// quantile returns a percentile of a sorted list.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*percent/100].Round(10 * time.Microsecond)
}
