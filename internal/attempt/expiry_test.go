package attempt_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress/egresstest"
	"github.com/postrider/postrider/models"
)

// An attempt that fails in TLS says that the webhook's own certificate has expired, if it has. Another failure does not.
func TestExpiredClientCertificate(t *testing.T) {
	t.Parallel()
	authority, stranger := egresstest.NewAuthority(t, "authority"), egresstest.NewAuthority(t, "stranger")
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	certificate, key := stranger.Issue(t, "mallory", until)
	said := "; the webhook's client certificate expired on " + until.Format(time.RFC3339)
	for mode, attempt := range map[string]func(r *rig){
		"workflow": func(r *rig) { r.deliver(1) }, "direct": func(r *rig) { require.False(r.t, r.directly(r.job())) },
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, open opener) {
				// attempted is the only attempt of a new webhook at a time.
				attempted := func(demanding bool, at time.Time) models.Attempt {
					r := newRig(t, open)
					r.status = http.StatusInternalServerError
					r.maker.Now = func() time.Time { return at }
					r.withCredentials(models.Credentials{TLS: &models.TLS{Certificate: certificate, Key: key, CA: authority.CA}})
					if demanding {
						server := httptest.NewUnstartedServer(r)
						server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
						server.TLS = authority.Demands(t)
						server.StartTLS()
						t.Cleanup(server.Close)
						_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
							w.URL = server.URL
							return nil
						})
						require.NoError(t, err)
					}
					attempt(r)
					logged := r.attempts()
					require.Len(t, logged, 1)
					return logged[0]
				}
				before, after := attempted(true, until.Add(-time.Microsecond)), attempted(true, until)
				require.Equal(t, models.ErrorTLS, before.ErrorClass)
				require.NotContains(t, before.Error, "expired")
				require.Equal(t, models.ErrorTLS, after.ErrorClass)
				require.Equal(t, before.Error+said, after.Error)
				refused := attempted(false, until)
				require.Equal(t, models.ErrorHTTPStatus, refused.ErrorClass)
				require.NotContains(t, refused.Error, "expired")
			})
		})
	}
}
