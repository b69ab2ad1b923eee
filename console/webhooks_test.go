package console_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// The list shows what may be seen, filtered, with the last day of each.
func TestWebhookList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newSite(t, db)
		require.Contains(t, s.signedIn(adminKey).get("/console/webhooks").body, "No webhook yet")

		owner := storetest.Owner(t, s.store, "a")
		mine := storetest.Webhook(t, s.store, func(w *models.Webhook) {
			w.OwnerID, w.Host, w.Description = owner.ID, "mine.example", `<script>alert(1)</script>`
		})
		other := storetest.Webhook(t, s.store, func(w *models.Webhook) { w.Host, w.Active = "other.example", false })
		hour := s.store.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
		require.NoError(t, db.Create(&models.Statistics{Subject: mine.ID, Hour: hour, Tally: models.Tally{Attempts: 1301, Delivered: 1234, Failed: 67}}).Error)

		list := s.signedIn(adminKey).get("/console/webhooks")
		require.Equal(t, http.StatusOK, list.status)
		for _, shown := range []string{mine.ID, other.ID, "/console/owners/" + owner.ID, "is-paused", "&lt;script&gt;alert(1)", "1\u202f234 delivered, 67 attempts failed"} {
			require.Contains(t, list.body, shown)
		}
		require.NotContains(t, list.body, "<script>alert")
		require.NotContains(t, s.signedIn(adminKey).get("/console/webhooks?active=true").body, other.ID)
		require.NotContains(t, s.signedIn(adminKey).get("/console/webhooks?owner_id="+owner.ID).body, other.ID)
		require.Contains(t, s.signedIn(adminKey).get("/console/webhooks?external_id=nobody").body, "No webhook is like that")
		require.Equal(t, http.StatusUnprocessableEntity, s.signedIn(adminKey).get("/console/webhooks?active=perhaps").status)

		_, key, err := s.store.CreateAPIKey(t.Context(), owner.ID, models.RoleRead, nil)
		require.NoError(t, err)
		own := s.signedIn(key).get("/console/webhooks")
		require.Contains(t, own.body, mine.ID)
		require.NotContains(t, own.body, other.ID)
		require.NotContains(t, own.body, "/console/webhooks/new", "a key that reads makes none")
	})
}
