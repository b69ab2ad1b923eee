package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// happened writes what happened to something in an hour, so long ago.
func (s *site) happened(subject string, ago time.Duration, tally models.Tally) {
	s.t.Helper()
	hour := s.store.Now().UTC().Truncate(time.Hour).Add(-ago)
	require.NoError(s.t, s.db.Create(&models.Statistics{Subject: subject, Hour: hour, Tally: tally, PackedLatency: tally.Latency.Pack()}).Error)
	require.NoError(s.t, s.db.Save(&models.StatisticsState{ID: 1, CountedUntil: s.store.Now().UTC().Truncate(time.Hour)}).Error)
}

// several publishes more events than who begins has.
func (s *site) several(ownerID string) (made []models.Delivery) {
	s.t.Helper()
	for range 5 {
		made = append(made, storetest.Publish(s.t, s.store, models.Event{Type: "order.created", Data: []byte(`{}`), OwnerID: ownerID}).Deliveries...)
	}
	return made
}

// The overview tells of a range what happened, to an owner of what is the owner's.
func TestOverview(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		owner := storetest.Owner(t, s.store, "a")
		mine := storetest.Webhook(t, s.store, func(w *models.Webhook) {
			w.OwnerID, w.Host, w.Description, w.Events = owner.ID, "mine.example", "<script>alert(1)</script>", []string{"*"}
		})
		other := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.Host, w.Events = "other.example", []string{"order.*"} })
		deliveries := s.several(owner.ID)
		s.several(models.DefaultOwnerID)
		storetest.Publish(t, s.store, models.Event{Type: "nobody.wants", Data: []byte(`{}`)})
		require.NoError(t, db.Model(&deliveries[4]).Updates(map[string]any{"status": models.StatusPermanentlyFailed, "last_error": "no <route>"}).Error)

		tally := models.Tally{Delivered: 1234, GivenUp: 7, Attempts: 1300, Failed: 66}
		tally.Latency.Count(1700 * time.Millisecond)
		for _, subject := range []string{"", owner.ID, mine.ID} {
			s.happened(subject, 3*time.Hour, tally)
			s.happened(subject, 100*time.Hour, tally)
		}
		s.happened(other.ID, 3*time.Hour, models.Tally{Attempts: 100, Failed: 50})

		admin := s.signedIn(adminKey)
		page := admin.get("/console/")
		require.Equal(t, http.StatusOK, page.status)
		for _, shown := range []string{
			"1\u202f234", "94.9 %", "1.8 s", "mine.example", "other.example", "&lt;script&gt;alert(1)", "nobody.wants", deliveries[4].ID, "no &lt;route&gt;",
			`data-chart="bars"`, `data-value="1234"`, "/console/static/uplot.", "/console/deliveries/" + deliveries[0].ID,
			"/console/deliveries?" + url.Values{"since": {s.store.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour).Format(time.RFC3339)}}.Encode() + "&amp;until=",
		} {
			require.Contains(t, page.body, shown)
		}
		require.NotContains(t, page.body, "<script>alert")
		require.NotContains(t, page.body, "steps-title")
		require.Less(t, strings.Index(page.body, "mine.example"), strings.Index(page.body, "other.example"), "the worst first")
		require.Contains(t, admin.get("/console/?range=7d").body, "2\u202f468")
		month := admin.get("/console/?range=30d").body
		require.Contains(t, month, "2\u202f468")
		require.Contains(t, month, "data-days")
		at := s.store.Now().UTC().Truncate(time.Hour).Add(-100 * time.Hour)
		between := admin.get("/console/?since=" + at.Format("2006-01-02T15:04") + "&until=" + url.QueryEscape(at.Add(time.Hour).Format(time.RFC3339))).body
		require.Contains(t, between, "1\u202f234")
		require.NotContains(t, between, "other.example")
		for _, wrong := range []string{"range=year", "since=yesterday", "since=2026-01-02T00:00&until=2026-01-01T00:00", "since=1970-01-01T00:00"} {
			require.Equal(t, http.StatusUnprocessableEntity, admin.get("/console/?"+wrong).status, wrong)
		}

		_, key, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleRead, nil)
		require.NoError(t, err)
		own := s.signedIn(key).get("/console/").body
		require.Contains(t, own, "mine.example")
		for _, hidden := range []string{"other.example", other.ID, "nobody.wants", models.DefaultOwnerID} {
			require.NotContains(t, own, hidden)
		}
	})
}

// Who begins is led to the first delivery, and each step is ticked off once it is done.
func TestFirstSteps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db, func(cfg *console.Config) { cfg.ReceiverURL = "http://127.0.0.1:9000/hook" })
		owner := storetest.Owner(t, s.store, "a")
		_, key, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleFull, nil)
		require.NoError(t, err)
		_, reading, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleRead, nil)
		require.NoError(t, err)
		b := s.signedIn(key)
		done := func() int { return strings.Count(b.get("/console/").body, "is-done") }

		first := b.get("/console/").body
		require.Contains(t, first, `value="http://127.0.0.1:9000/hook"`)
		require.Contains(t, first, `value="POST /api/webhooks"`)
		require.NotContains(t, first, `value="POST /api/events"`, "nobody would get it")
		require.Zero(t, done())
		require.NotContains(t, s.signedIn(reading).get("/console/").body, `name="_call"`)

		require.Equal(t, http.StatusNoContent, b.call("POST /api/webhooks", url.Values{"url": {"http://127.0.0.1:9000/hook"}, "events:lines": {"*"}}).status)
		require.Equal(t, 1, done())
		require.Contains(t, b.get("/console/").body, `value="POST /api/events"`)
		require.Equal(t, http.StatusNoContent, b.call("POST /api/events", url.Values{"event": {"order.created"}, "data:json": {`{"id": 42}`}}).status)
		require.Equal(t, 2, done())
		var delivery models.Delivery
		require.NoError(t, db.Take(&delivery).Error)
		require.Contains(t, b.get("/console/").body, "/console/deliveries/"+delivery.ID)
		require.NoError(t, db.Model(&delivery).Update("status", models.StatusDelivered).Error)
		require.Equal(t, 3, done())
		require.Contains(t, b.get("/console/").body, "Your first event is delivered")
		s.several(owner.ID)
		require.Zero(t, done(), "whoever has several knows how")
	})
}

// Without a receiver of its own, the console asks for one, and shows the secret that it needs.
func TestFirstStepsWithAReceiverElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	b := s.signedIn(adminKey)
	require.Contains(t, b.get("/console/").body, `name="_show"`)
	made := b.call("POST /api/webhooks", url.Values{"url": {"https://example.com/x"}, "events:lines": {"*"}, "_show": {"Keep it"}, "_members": {"secret"}})
	require.Contains(t, made.body, "whsec_")
	storetest.Publish(t, s.store, models.Event{Type: "x", Data: []byte(`{}`), OwnerID: storetest.Owner(t, s.store, "nobody").ID})
	require.Contains(t, b.get("/console/").body, "No webhook was subscribed to it")
}
