package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// An overview says the same of hours that are counted and of those that are not, to an owner of the owner's alone.
func TestOverview(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		r := newStatisticsRig(t, db)
		for hours := range int64(3) {
			r.hour()
			r.checkOverview(hours + 1)
			r.clock.Advance(time.Hour + 5*time.Minute)
			if hours > 0 {
				_, err := r.store.CountHour(t.Context())
				require.NoError(t, err)
			}
			r.checkOverview(hours + 1)
		}
		// Beyond the hours there is nothing, and what is deleted is not named.
		filter := models.StatisticsFilter{From: r.begin.Add(-48 * time.Hour), To: r.begin}
		overview, err := r.store.Overview(t.Context(), everything, filter)
		require.NoError(t, err)
		require.Empty(t, overview.Worst)
		require.NoError(t, r.store.DeleteWebhook(t.Context(), everything, r.webhooks[0].ID))
		filter = models.StatisticsFilter{From: r.begin, To: r.clock.Now().Add(time.Hour)}
		overview, err = r.store.Overview(t.Context(), everything, filter)
		require.NoError(t, err)
		require.Len(t, overview.Worst, 1)
	})
}

func (r *statisticsRig) checkOverview(hours int64) {
	r.t.Helper()
	filter := models.StatisticsFilter{From: r.begin, To: r.clock.Now().Truncate(time.Hour).Add(time.Hour)}
	for _, scope := range []models.Scope{everything, {OwnerID: r.owners[1].ID}} {
		overview, err := r.store.Overview(r.t.Context(), scope, filter)
		require.NoError(r.t, err)
		same, err := r.store.Statistics(r.t.Context(), scope, filter)
		require.NoError(r.t, err)
		require.Equal(r.t, same, overview.Hours)
		want := r.webhooks
		if scope.OwnerID != "" {
			want = r.webhooks[1:]
		}
		require.Len(r.t, overview.Worst, len(want))
		for _, worst := range overview.Worst {
			require.True(r.t, slices.ContainsFunc(want, func(w models.Webhook) bool { return w.ID == worst.ID }))
			require.Equal(r.t, [4]int64{hours, 2 * hours, hours, 4 * hours}, [4]int64{worst.Delivered, worst.Failed, worst.GivenUp, worst.Attempts})
		}
	}
}

// The webhooks that failed most are named, the worst first.
func TestWorstWebhooks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		begin := clock.Now().Truncate(time.Hour)
		for i := range 30 {
			webhook := makeWebhook(t, s, models.DefaultOwnerID, fmt.Sprint("kind", i))
			for range i {
				delivery := storetest.Publish(t, s, models.Event{Type: webhook.Events[0], Data: []byte(`{}`)}).Deliveries[0]
				attempted(t, s, delivery, 1, models.StatusFailed)
			}
		}
		clock.Advance(time.Hour + 5*time.Minute)
		for range 2 {
			overview, err := s.Overview(t.Context(), everything, models.StatisticsFilter{From: begin, To: begin.Add(2 * time.Hour)})
			require.NoError(t, err)
			require.Len(t, overview.Worst, 10)
			for i, worst := range overview.Worst {
				require.EqualValues(t, 29-i, worst.Failed)
			}
			_, err = s.CountHour(t.Context())
			require.NoError(t, err)
		}
	})
}

// The backlog has what waits, by what it waits for, and to an owner the owner's.
func TestBacklog(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		owner := storetest.Owner(t, s, "a")
		makeWebhook(t, s, owner.ID, "*")
		of := models.Scope{OwnerID: owner.ID}
		empty, err := s.Backlog(t.Context(), everything)
		require.NoError(t, err)
		require.Equal(t, models.Backlog{}, empty)

		publish := func(later time.Duration) models.Delivery {
			clock.Advance(time.Second)
			event := models.Event{Type: "x", Data: []byte(`{}`), OwnerID: owner.ID}
			if later > 0 {
				event.Delay = &later
			}
			return storetest.Publish(t, s, event).Deliveries[0]
		}
		attempted(t, s, publish(0), 1, models.StatusDelivered)
		attempted(t, s, publish(0), 1, models.StatusFailed)
		publish(time.Hour)
		oldest := publish(0)
		publish(0)
		storetest.Webhook(t, s, func(webhook *models.Webhook) {
			webhook.OwnerID, webhook.Events, webhook.Ordered = owner.ID, []string{"in-turn"}, true
		})
		clock.Advance(time.Second)
		storetest.Publish(t, s, models.Event{Type: "in-turn", Data: []byte(`{}`), OwnerID: owner.ID})
		makeWebhook(t, s, models.DefaultOwnerID, "*")
		storetest.Publish(t, s, models.Event{Type: "x", Data: []byte(`{}`)})

		for scope, due := range map[models.Scope]int64{everything: 4, of: 3} {
			backlog, err := s.Backlog(t.Context(), scope)
			require.NoError(t, err)
			require.NotNil(t, backlog.Oldest)
			require.Equal(t, oldest.ID, backlog.Oldest.ID)
			backlog.Oldest = nil
			require.Equal(t, models.Backlog{Due: due, Later: 1, Queued: 1, Retrying: 1}, backlog)
		}
	})
}

// Events that match nobody are found by their types, the most frequent first.
func TestUnmatchedEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s, clock := clockedStore(t, db)
		owner := storetest.Owner(t, s, "a")
		makeWebhook(t, s, owner.ID, "known")
		begin := clock.Now()
		for _, kind := range []string{"one", "two", "known", "two"} {
			clock.Advance(time.Minute)
			storetest.Publish(t, s, models.Event{Type: kind, Data: []byte(`{}`), OwnerID: owner.ID})
		}
		last := clock.Now()
		storetest.Publish(t, s, models.Event{Type: "other", Data: []byte(`{}`)})

		found, err := s.UnmatchedEvents(t.Context(), models.Scope{OwnerID: owner.ID}, begin, last.Add(time.Minute))
		require.NoError(t, err)
		require.EqualValues(t, 4, found.Looked)
		require.Len(t, found.Types, 2)
		require.Equal(t, "two", found.Types[0].Type)
		require.EqualValues(t, 2, found.Types[0].Count)
		require.True(t, last.Equal(found.Types[0].LastAt))
		found, err = s.UnmatchedEvents(t.Context(), everything, begin, last.Add(time.Minute))
		require.NoError(t, err)
		require.Len(t, found.Types, 3)
		found, err = s.UnmatchedEvents(t.Context(), everything, last.Add(time.Minute), last.Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, found.Looked)
		require.Empty(t, found.Types)
	})
}
