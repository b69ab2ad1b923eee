package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/store"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// statisticsRig has two owners, a webhook of each and hours of their deliveries. In each hour, an event of each owner is
// delivered after a failure, one is broadcast and given up by all, and a test is sent.
type statisticsRig struct {
	t        *testing.T
	store    *store.Store
	clock    *storetest.Clock
	owners   []models.Owner
	webhooks []models.Webhook
	begin    time.Time
}

func newStatisticsRig(t *testing.T, db *gorm.DB) *statisticsRig {
	t.Helper()
	s, clock := clockedStore(t, db)
	r := &statisticsRig{t: t, store: s, clock: clock, begin: clock.Now().Truncate(time.Hour)}
	for _, name := range []string{"a", "b"} {
		r.owners = append(r.owners, storetest.Owner(t, s, name))
		r.webhooks = append(r.webhooks, makeWebhook(t, s, r.owners[len(r.owners)-1].ID, "*"))
	}
	return r
}

func (r *statisticsRig) hour() {
	for i, kind := range []string{"x", "y"} {
		delivery := storetest.Publish(r.t, r.store, models.Event{Type: kind, Data: []byte(`{}`), OwnerID: r.owners[i].ID}).Deliveries[0]
		r.clock.Advance(100 * time.Millisecond)
		attempted(r.t, r.store, delivery, 1, models.StatusFailed)
		r.clock.Advance(900 * time.Millisecond)
		attempted(r.t, r.store, delivery, 2, models.StatusDelivered)
		attempted(r.t, r.store, delivery, 3, models.StatusDelivered) // someone resent it
	}
	for _, delivery := range storetest.Publish(r.t, r.store, models.Event{Type: "x", Data: []byte(`{}`), Broadcast: true}).Deliveries {
		attempted(r.t, r.store, delivery, 1, models.StatusPermanentlyFailed)
	}
	storetest.Publish(r.t, r.store, models.Event{Type: "nobody's", Data: []byte(`{}`), OwnerID: models.DefaultOwnerID})
	test, err := r.store.PublishTest(r.t.Context(), r.webhooks[0], []byte(`{}`))
	require.NoError(r.t, err)
	attempted(r.t, r.store, test, 1, models.StatusDelivered)
}

// counts is what a filter finds in all hours: published, delivered, failed, given up, attempts.
func (r *statisticsRig) counts(scope models.Scope, filter models.StatisticsFilter) [5]int64 {
	r.t.Helper()
	filter.From, filter.To = r.begin, r.clock.Now().Truncate(time.Hour).Add(time.Hour)
	hours, err := r.store.Statistics(r.t.Context(), scope, filter)
	require.NoError(r.t, err)
	var sum models.Tally
	for _, tally := range hours {
		sum.Add(*tally)
	}
	if sum.Delivered > 0 {
		p50, _ := sum.Latency.Quantile(0.5)
		require.InDelta(r.t, 1012, p50, 51)
	}
	if sum.Attempts > 0 {
		p50, _ := sum.Duration.Quantile(0.5)
		require.InDelta(r.t, 12, p50, 1)
	}
	return [5]int64{sum.Published, sum.Delivered, sum.Failed, sum.GivenUp, sum.Attempts}
}

// check compares what every filter finds with what happened in so many hours.
func (r *statisticsRig) check(hours int64) {
	r.t.Helper()
	times := func(counts [5]int64) [5]int64 {
		for i := range counts {
			counts[i] *= hours
		}
		return counts
	}
	a, b := models.Scope{OwnerID: r.owners[0].ID}, models.Scope{OwnerID: r.owners[1].ID}
	one := [5]int64{2, 1, 2, 1, 4}
	for name, test := range map[string]struct {
		scope  models.Scope
		filter models.StatisticsFilter
		want   [5]int64
	}{
		"everything":        {everything, models.StatisticsFilter{}, [5]int64{4, 2, 4, 2, 8}},
		"an owner":          {a, models.StatisticsFilter{}, one},
		"another":           {everything, models.StatisticsFilter{OwnerIDs: []string{b.OwnerID}}, one},
		"both":              {everything, models.StatisticsFilter{OwnerIDs: []string{a.OwnerID, b.OwnerID}}, [5]int64{4, 2, 4, 2, 8}},
		"not one's own":     {a, models.StatisticsFilter{OwnerIDs: []string{b.OwnerID}}, [5]int64{}},
		"a webhook":         {b, models.StatisticsFilter{WebhookIDs: []string{r.webhooks[1].ID}}, one},
		"another's webhook": {a, models.StatisticsFilter{WebhookIDs: []string{r.webhooks[1].ID}}, [5]int64{}},
		"a type":            {everything, models.StatisticsFilter{Events: []string{"x"}}, [5]int64{2, 1, 3, 2, 5}},
		"types":             {b, models.StatisticsFilter{Events: []string{"x", "y", "z"}}, one},
		"a webhook's type":  {a, models.StatisticsFilter{WebhookIDs: []string{r.webhooks[0].ID}, Events: []string{"y"}}, [5]int64{}},
	} {
		require.Equal(r.t, times(test.want), r.counts(test.scope, test.filter), name)
	}
}

// count counts the hours that are over, and returns how many there were.
func (r *statisticsRig) count() (hours int) {
	r.t.Helper()
	for {
		counted, err := r.store.CountHour(r.t.Context())
		require.NoError(r.t, err)
		if !counted {
			return hours
		}
		hours++
	}
}

func TestStatisticsAreExact(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		r := newStatisticsRig(t, db)
		require.Equal(t, [5]int64{}, r.counts(everything, models.StatisticsFilter{}))
		r.hour()
		r.check(1) // of the log alone
		r.clock.Advance(time.Hour)
		r.hour()
		r.check(2)
		require.Equal(t, 1, r.count())
		r.check(2) // one hour counted, one of the log
		require.Zero(t, r.count(), "nothing is counted twice")
		r.clock.Advance(2 * time.Hour)
		require.Equal(t, 1, r.count(), "the hour in which nothing happened is passed over")
		r.check(2)

		// The log may go: what was counted stays.
		require.NoError(t, db.Exec("DELETE FROM attempts").Error)
		require.NoError(t, db.Exec("DELETE FROM deliveries").Error)
		r.check(2)
	})
}

// A count that is cut off leaves nothing behind, and what is counted at once counts once.
func TestStatisticsCountOnce(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		r := newStatisticsRig(t, db)
		r.hour()
		r.clock.Advance(2 * time.Hour)
		cut, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.store.CountHour(cut)
		require.Error(t, err)
		r.check(1)
		errs := make(chan error, 4)
		for range cap(errs) {
			go func() {
				_, err := r.store.CountHour(t.Context())
				errs <- err
			}()
		}
		for range cap(errs) {
			require.NoError(t, <-errs)
		}
		r.check(1)
	})
}

// What is recorded after its hour was counted has the hour counted again.
func TestStatisticsOfWhatIsRecordedLate(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		r := newStatisticsRig(t, db)
		delivery := storetest.Publish(t, r.store, models.Event{Type: "x", Data: []byte(`{}`), OwnerID: r.owners[0].ID}).Deliveries[0]
		r.clock.Advance(time.Second)
		begun := r.clock.Now()
		r.clock.Advance(3 * time.Hour)
		require.Equal(t, 1, r.count(), "nothing happened in the others")
		attempt := models.Attempt{
			ID: models.AttemptID("run", 1, begun), DeliveryID: delivery.ID, Number: 1, Trigger: models.TriggerSchedule, StartedAt: begun, DurationMS: 12,
		}
		now := r.store.Now()
		_, err := r.store.RecordAttempt(t.Context(), models.Outcome{
			Attempt: attempt, Status: models.StatusDelivered, RunID: "run", Health: models.WebhookHealth{WebhookID: r.webhooks[0].ID, LastSuccessAt: &now},
		})
		require.NoError(t, err)
		require.Equal(t, [5]int64{1, 0, 0, 0, 0}, r.counts(everything, models.StatisticsFilter{}))
		require.Equal(t, 1, r.count())
		require.Equal(t, [5]int64{1, 1, 0, 0, 1}, r.counts(everything, models.StatisticsFilter{}))
		require.Zero(t, r.count())
	})
}

// What was a deleted owner's goes with the owner.
func TestStatisticsOfADeletedOwner(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db *gorm.DB) {
		r := newStatisticsRig(t, db)
		r.hour()
		r.clock.Advance(2 * time.Hour)
		r.count()
		_, err := r.store.DeleteOwner(t.Context(), r.owners[0].ID)
		require.NoError(t, err)
		for done := false; !done; {
			purge, err := r.store.PurgeOwner(t.Context(), r.owners[0].ID, 100)
			require.NoError(t, err)
			done = purge.Done
		}
		var left int64
		require.NoError(t, db.Table("statistics").Where("subject IN ?", []string{r.owners[0].ID, r.webhooks[0].ID}).Count(&left).Error)
		require.Zero(t, left)
	})
}

// The counted hours of several webhooks are those of each, without other subjects' and types'.
func TestCountedHours(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := newStatisticsRig(t, db)
		for range 2 {
			r.hour()
			r.clock.Advance(time.Hour)
		}
		r.clock.Advance(time.Hour)
		require.Positive(t, r.count())
		ids := []string{r.webhooks[0].ID, r.webhooks[1].ID}
		rows, err := r.store.CountedHours(t.Context(), ids, r.begin)
		require.NoError(t, err)
		require.Len(t, rows, 4)
		for _, row := range rows {
			require.Contains(t, ids, row.Subject)
			require.Equal(t, [5]int64{2, 1, 2, 1, 4}, [5]int64{row.Published, row.Delivered, row.Failed, row.GivenUp, row.Attempts})
		}
		rows, err = r.store.CountedHours(t.Context(), ids[:1], r.begin.Add(time.Hour))
		require.NoError(t, err)
		require.Len(t, rows, 1)
		rows, err = r.store.CountedHours(t.Context(), nil, r.begin)
		require.NoError(t, err)
		require.Empty(t, rows)
	})
}
