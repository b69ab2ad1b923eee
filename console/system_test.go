package console_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// Administrators are shown how the installation is, and nobody else is.
func TestSystem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		var away bool
		s := newSite(t, db, func(cfg *console.Config) {
			cfg.System = console.System{
				Settings: []console.Setting{
					{Flag: "--public-url", Variable: "POSTRIDER_PUBLIC_URL", Help: "Base URL.", Value: "https://<b>"},
					{Flag: "--admin-key", Variable: "POSTRIDER_ADMIN_KEY", Help: "A key.", Secret: true, Set: true},
					{Flag: "--smtp-url", Variable: "POSTRIDER_SMTP_URL", Help: "A server.", Secret: true},
				},
				TemporalAddress: "temporal:7233", Namespace: "name space", TemporalURL: "https://temporal.example/", Identity: "postrider@here",
				Temporal: func(context.Context) (console.Temporal, error) {
					if away {
						return console.Temporal{}, errors.New("no answer")
					}
					return console.Temporal{
						ServerVersion: "1.2.3",
						Queues: []console.Queue{
							{Name: "deliveries", Kind: "workflow", Pollers: []console.Poller{{Identity: "a-worker", LastSeen: time.Now()}}},
							{Name: "deliveries-slow", Kind: "activity", Backlog: 1234, Oldest: 90 * time.Second},
						},
						Schedules: []console.Schedule{{ID: "a-schedule", Runs: 4321, Last: time.Now(), Next: time.Now()}, {ID: "another", Paused: true}},
					}, nil
				},
			}
		})
		b := s.signedIn(adminKey)
		page := b.get("/console/system")
		require.Equal(t, http.StatusOK, page.status)
		for _, shown := range []string{
			"is &lt;paused&gt;", runtime.Version(), "1.2.3", "https://temporal.example/namespaces/name%20space/task-queues/deliveries", "a-worker", "1\u202f234",
			"1 m 30 s", "nobody asks for tasks", "4\u202f321", "is-paused", "https://&lt;b&gt;", "POSTRIDER_SMTP_URL", "set", "not set", "no hour is counted yet",
		} {
			require.Contains(t, page.body, shown)
		}
		away = true
		page = b.get("/console/system")
		require.Equal(t, http.StatusOK, page.status)
		require.Contains(t, page.body, "Temporal does not answer")
		require.Contains(t, page.body, "POSTRIDER_SMTP_URL")

		_, key, err := s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusForbidden, s.signedIn(key).get("/console/system").status)
	})
}
