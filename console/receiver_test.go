package console_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/console"
	"github.com/postrider/postrider/console/view"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
)

// atHand is a receiver in this process.
type atHand struct {
	status int
	delay  time.Duration
}

func (a *atHand) Received() []view.Received {
	return []view.Received{{At: time.Now(), Event: "<b>", DeliveryID: "dlv_x", Attempt: "1", Status: 200, Body: []byte(`{"a":"<script>"}`)}}
}
func (a *atHand) Manner() (int, time.Duration)           { return a.status, a.delay }
func (a *atHand) Answer(status int, delay time.Duration) { a.status, a.delay = status, delay }

// Administrators see what the receiver in this process got, and change how it answers; without one there is no such page.
func TestReceiverPage(t *testing.T) {
	t.Parallel()
	of := &atHand{status: http.StatusOK}
	s := newSite(t, storetest.SQLite(t), func(cfg *console.Config) { cfg.Receiver, cfg.ReceiverURL = of, "http://127.0.0.1:9000/hook" })
	b := s.signedIn(adminKey)
	page := b.get("/console/receiver")
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "http://127.0.0.1:9000/hook")
	require.Contains(t, page.body, "&lt;script&gt;")
	require.NotContains(t, page.body, "<script>\"")
	for _, manner := range []struct {
		name   string
		status int
	}{{"badly", 500}, {"well", 200}} {
		require.Equal(t, http.StatusOK, b.post("/console/receiver", url.Values{"manner": {manner.name}}).status)
		require.Equal(t, manner.status, of.status)
	}
	require.Equal(t, http.StatusNotFound, b.post("/console/receiver", url.Values{"manner": {"oddly"}}).status)

	_, key, err := s.store.CreateAPIKey(t.Context(), models.DefaultOwnerID, models.RoleFull, nil)
	require.NoError(t, err)
	owner := s.signedIn(key)
	require.Equal(t, http.StatusForbidden, owner.get("/console/receiver").status)
	require.Equal(t, http.StatusNotFound, owner.post("/console/receiver", url.Values{"manner": {"badly"}}).status)
	require.Equal(t, 200, of.status)

	without := newSite(t, storetest.SQLite(t)).signedIn(adminKey)
	require.Equal(t, http.StatusNotFound, without.get("/console/receiver").status)
	require.NotContains(t, without.get("/console/deliveries").body, "/console/receiver")
}

// A link signs in once, and while it is new.
func TestLinksSignInOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	link, err := s.service.SignInLink(t.Context(), adminKey, time.Hour)
	require.NoError(t, err)
	first := s.browser()
	in := first.get("/console/sign-in?link=" + link + "&next=/console/deliveries")
	require.Equal(t, "/console/deliveries", in.path)
	require.Equal(t, http.StatusOK, first.get("/console/deliveries").status)
	again := s.browser().get("/console/sign-in?link=" + link)
	require.Equal(t, http.StatusUnauthorized, again.status)
	require.Contains(t, again.body, "was used before")

	link, err = s.service.SignInLink(t.Context(), adminKey, -time.Second)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, s.browser().get("/console/sign-in?link="+link).status)
}
