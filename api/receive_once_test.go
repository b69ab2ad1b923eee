package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// process does what the workflow of every pending inbound event does, and returns the types of all events.
func (s *server) process() []string {
	s.t.Helper()
	implementation := &activities.Activities{Store: s.store}
	for _, inbound := range s.received() {
		if inbound.Status == models.InboundPending {
			_, err := implementation.ProcessInbound(s.t.Context(), activities.ProcessInput{InboundEventID: inbound.ID})
			require.NoError(s.t, err)
		}
	}
	events, _, err := s.store.Events(s.t.Context(), models.Scope{}, models.EventFilter{}, models.Page{})
	require.NoError(s.t, err)
	var types []string
	for _, event := range events {
		types = append(types, event.Type)
	}
	return types
}

// Whoever replays a request under another's ID, in a header that is not signed, must not make the real event a copy.
func TestATakenIDIsAConflict(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *gorm.DB) {
		s := newServiceOn(t, db)
		id := s.source(sourceWith("hmac", plainSecret, `,"header":"X-Sign","id_header":"X-Id"`))
		cfg := signature.Config{
			Scheme: signature.SchemeHMAC, Secrets: []string{plainSecret}, HMAC: &signature.HMACConfig{Header: "X-Sign"},
		}
		send := func(body, eventID string) {
			s.call("", "POST", "/webhooks/"+id, body, s.sign(cfg, body, "X-Id", eventID)...).is(http.StatusOK)
		}
		send(`{"n":1}`, "1001")
		send(`{"n":1}`, "1002") // a stranger's
		for range 3 {
			send(`{"n":2}`, "1002") // the real one, and its copies
		}
		received := s.received()
		require.Len(t, received, 3)
		require.True(t, received[0].Conflict)
		require.False(t, received[1].Conflict)
		shown := s.admin(http.StatusOK, "GET", "/api/inbound-events/"+received[0].ID, "").object()
		require.Equal(t, true, shown["conflict"])
		require.Equal(t, `{"n":2}`, shown["body"])
		source := s.admin(http.StatusOK, "GET", "/api/sources/"+id, "").object()
		require.EqualValues(t, 1, source["conflicts"])
		require.Len(t, s.process(), 3)
	})
}

// Stripe says in each copy how many endpoints the event has yet to reach: it is the same event all the same.
func TestCopiesFromStripeAreCopies(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.source(sourceWith("stripe", stripeSecret, ""))
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{stripeSecret}}
	for _, body := range []string{
		`{"id":"evt_1","type":"a","pending_webhooks":2}`, `{"id":"evt_1","type":"a","pending_webhooks":1}`,
		`{"id":"evt_1","type":"a","pending_webhooks":1,"livemode":true}`,
	} {
		s.call("", "POST", "/webhooks/"+id, body, s.sign(cfg, body)...).is(http.StatusOK)
	}
	require.Len(t, s.received(), 2)
}

// A peer's events are published under types that are free; what is really Postrider's own, and what makes no type, is
// refused before it is acknowledged, and accepted once the source's prefix is another.
func TestWhatIsAcknowledgedCanBePublished(t *testing.T) {
	t.Parallel()
	s := newService(t)
	secret := standardSecret(t)
	id := s.source(sourceWith("postrider", secret, ""))
	cfg := signature.Config{Scheme: signature.SchemePostrider, Secrets: []string{secret}}
	send := func(eventID, eventType string) reply {
		body := `{"id":"` + eventID + `","event":"` + eventType + `","data":{}}`
		return s.call("", "POST", "/webhooks/"+id, body, s.sign(cfg, body)...)
	}
	good := []string{"webhook.test", "webhook.created", "delivery.created", models.EventWebhookFailing, strings.Repeat("x", 118)}
	for i, eventType := range good {
		send("dlv_"+string(rune('a'+i)), eventType).is(http.StatusOK)
	}
	require.Len(t, s.process(), len(good))
	require.Contains(t, s.process(), "postrider.webhook.test")
	long := strings.Repeat("x", 119)
	for eventType, says := range map[string]string{
		"webhook.failing": "change the source's event_prefix", "delivery.permanently_failed": "change the source's event_prefix",
		long: "event types have 128 at most",
	} {
		require.Contains(t, send("dlv_z"+eventType[:1], eventType).problem(http.StatusBadRequest, "bad_request").Detail, says)
	}
	require.Len(t, s.received(), len(good))
	shown := s.admin(http.StatusOK, "GET", "/api/sources/"+id, "").object()
	require.EqualValues(t, 3, shown["rejected"])
	require.EqualValues(t, 0, shown["failed"])
	s.admin(http.StatusOK, "PATCH", "/api/sources/"+id, `{"event_prefix":"peer"}`)
	send("dlv_zw", "webhook.failing").is(http.StatusOK)
	send("dlv_zx", long).is(http.StatusOK)
	require.Contains(t, s.process(), "peer.webhook.failing")
}

// A source shows how many events failed; the provider's next copy of one is another chance.
func TestACopyOfAFailedEventStartsItsWorkflow(t *testing.T) {
	t.Parallel()
	s := newService(t)
	id := s.source(sourceWith("stripe", stripeSecret, ""))
	cfg := signature.Config{Scheme: signature.SchemeStripe, Secrets: []string{stripeSecret}}
	body := `{"id":"evt_1","type":"a"}`
	send := func() { s.call("", "POST", "/webhooks/"+id, body, s.sign(cfg, body)...).is(http.StatusOK) }
	starts := func() (n int) {
		for _, call := range s.temporal.asked() {
			if call == "start "+s.received()[0].ID {
				n++
			}
		}
		return n
	}
	failed := func() any { return s.admin(http.StatusOK, "GET", "/api/sources/"+id, "").object()["failed"] }
	send()
	require.Eventually(t, func() bool { return starts() == 1 }, 30*time.Second, time.Millisecond)
	require.NoError(t, s.store.FailInbound(t.Context(), s.received()[0].ID, "cannot be published"))
	require.EqualValues(t, 1, failed())
	send()
	require.Eventually(t, func() bool { return starts() == 2 }, 30*time.Second, time.Millisecond)
	require.Equal(t, models.InboundPending, s.received()[0].Status)
	require.EqualValues(t, 0, failed())
	require.Len(t, s.process(), 1)
	send()
	require.Len(t, s.received(), 1)
	require.Equal(t, models.InboundProcessed, s.received()[0].Status)
}
