package console_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/internal/typeid"
	"github.com/postrider/postrider/models"
)

// Recoveries are shown with their progress, to whom they belong, with what may be done to those that go on.
func TestRecoveryPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		admin := s.signedIn(adminKey)
		require.Contains(t, admin.get("/console/recoveries").body, "No recovery yet")

		owner := storetest.Owner(t, s.store, "a")
		now := s.store.Now()
		made := func(status models.RecoveryStatus, change func(*models.Recovery)) models.Recovery {
			t.Helper()
			webhook := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.OwnerID = owner.ID })
			recovery := models.Recovery{
				ID: typeid.New(typeid.KindRecovery, now), WebhookID: webhook.ID, OwnerID: owner.ID, Since: now.Add(-time.Hour), Until: now,
				Include: models.IncludeFailed, Rate: 10, Status: status, Collected: true, Total: 4000, Resent: 990, Skipped: 10, CreatedAt: now, UpdatedAt: now,
			}
			change(&recovery)
			require.NoError(t, db.Create(&recovery).Error)
			return recovery
		}
		nothing := func(*models.Recovery) {}
		running, paused := made(models.RecoveryRunning, nothing), made(models.RecoveryPaused, func(r *models.Recovery) { r.Reason = "<b>the webhook is inactive</b>" })
		done := made(models.RecoveryCompleted, func(r *models.Recovery) { r.Resent, r.FinishedAt = 3990, &now })
		counting := made(models.RecoveryRunning, func(r *models.Recovery) { r.Collected, r.Total = false, 70 })

		list := admin.get("/console/recoveries")
		for _, recovery := range []models.Recovery{running, paused, done, counting} {
			require.Contains(t, list.body, recovery.ID)
		}
		require.NotContains(t, admin.get("/console/recoveries?status=paused").body, running.ID)
		require.NotContains(t, admin.get("/console/recoveries?webhook_id="+paused.WebhookID).body, running.ID)
		require.Contains(t, admin.get("/console/recoveries?status=cancelled").body, "No recovery is like that")
		require.Equal(t, http.StatusUnprocessableEntity, admin.get("/console/recoveries?webhook_id=x").status)

		for _, test := range []struct {
			of         models.Recovery
			has, lacks []string
		}{
			{running, []string{`max="4000" value="1000"`, "about 5 m to go", "/pause", "/cancel"}, []string{"/resume"}},
			{paused, []string{"&lt;b&gt;the webhook is inactive", "/resume", "/cancel"}, []string{"/pause\"", "<b>the"}},
			{done, []string{"All of it was sent."}, []string{"/pause", "/cancel", "/resume"}},
			{counting, []string{"It looks for what is to be sent.", "70 found so far"}, []string{`value="70"`}},
		} {
			page := admin.get("/console/recoveries/" + test.of.ID)
			require.Equal(t, http.StatusOK, page.status)
			for _, shown := range test.has {
				require.Contains(t, page.body, shown)
			}
			for _, hidden := range test.lacks {
				require.NotContains(t, page.body, hidden)
			}
		}
		require.Contains(t, admin.get("/console/webhooks/"+running.WebhookID).body, "A recovery is under way:")

		_, key, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleRead, nil)
		require.NoError(t, err)
		reader := s.signedIn(key).get("/console/recoveries/" + running.ID)
		require.Contains(t, reader.body, "about 5 m to go")
		require.NotContains(t, reader.body, "/api/recoveries")
		_, key, err = s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusNotFound, s.signedIn(key).get("/console/recoveries/"+running.ID).status)
		require.NotContains(t, s.signedIn(key).get("/console/recoveries").body, running.ID)
	})
}

// The form on a webhook's page begins a recovery from the first failure on.
func TestRecovering(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	webhook := storetest.Webhook(t, s.store, func(*models.Webhook) {})
	failed := s.store.Now().Add(-5 * time.Hour).UTC()
	require.NoError(t, s.db.Create(&models.WebhookHealth{WebhookID: webhook.ID, ConsecutiveFailures: 6, FailedDeliveries: 1, FirstFailureAt: &failed}).Error)
	b := s.signedIn(adminKey)
	form := formOf(t, b.get("/console/webhooks/"+webhook.ID).body, "POST /api/webhooks/"+webhook.ID+"/recover")
	form.Set("include", "missed")
	begun := b.post("/console/call", form, "HX-Request", "true")
	require.Equal(t, http.StatusNoContent, begun.status, begun.body)
	var recovery models.Recovery
	require.NoError(t, s.db.Take(&recovery).Error)
	require.Equal(t, "/console/recoveries/"+recovery.ID, begun.header.Get("HX-Location"))
	require.Equal(t, failed, recovery.Since.UTC())
	require.Equal(t, models.IncludeMissed, recovery.Include)
	require.Equal(t, 10, recovery.Rate)
}
