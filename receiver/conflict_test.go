package receiver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/receiver"
	"github.com/postrider/postrider/signature"
)

// TestATakenIDLosesNothing sends an old body under the ID of an event to come, as
// a stranger can where the ID is not signed, and then that event.
func TestATakenIDLosesNothing(t *testing.T) {
	t.Parallel()
	var log logBook
	h := newHandler(t, receiver.Options{Provider: receiver.GitHub, Logger: log.logger()})
	var got []receiver.Event
	fail := true
	h.On("*", func(_ context.Context, e receiver.Event) error {
		if e.Conflict && fail {
			fail = false
			return errors.New("not now")
		}
		got = append(got, e)
		return nil
	})
	send := func(body string) int {
		header := sign(t, signature.SchemeGitHub, "", body, "X-GitHub-Delivery", "1002", "X-GitHub-Event", "push")
		return post(h, header, body).Code
	}
	require.Equal(t, http.StatusOK, send(`{"n":1}`))
	require.Equal(t, http.StatusOK, send(`{"n":1}`))
	require.Equal(t, http.StatusInternalServerError, send(`{"n":2}`))
	require.Equal(t, http.StatusOK, send(`{"n":2}`), "its retry")
	require.Equal(t, http.StatusOK, send(`{"n":2}`))
	require.Equal(t, http.StatusOK, send(`{"n":1}`))

	require.Len(t, got, 2)
	for i, body := range []string{`{"n":1}`, `{"n":2}`} {
		require.Equal(t, body, string(got[i].Body))
		require.Equal(t, "1002", got[i].ID)
		require.Equal(t, i == 1, got[i].Conflict)
	}
	require.Contains(t, log.String(), "has the ID of another one")
}

// TestStripesCopiesDiffer sends a copy in which another endpoint is no longer
// pending.
func TestStripesCopiesDiffer(t *testing.T) {
	t.Parallel()
	h := newHandler(t, receiver.Options{})
	var called calls
	h.On("*", called.handle)
	for _, body := range []string{
		`{"id":"evt_1","type":"a","pending_webhooks":2,"data":{"n":1}}`,
		`{"id":"evt_1","type":"a","pending_webhooks":1,"data":{"n":1}}`,
		`{"id":"evt_1","type":"a","data":{"n":1}}`,
	} {
		requireReceived(t, postStripe(t, h, body))
	}
	require.Equal(t, 1, called.count())
	requireReceived(t, postStripe(t, h, `{"id":"evt_1","type":"a","pending_webhooks":1,"data":{"n":2}}`))
	require.Equal(t, 2, called.count())
}

// Where the body's hash is the ID, both are of what is parsed: with a byte order mark or without, it is one event.
func TestBodyHashesWithoutAByteOrderMark(t *testing.T) {
	t.Parallel()
	for provider, body := range map[*receiver.Provider]string{
		&receiver.Slack: `{"type":"app_rate_limited"}`, new(receiver.HMAC(receiver.HMACOptions{})): `{"n":1}`,
	} {
		without, err := provider.Parse(http.Header{}, []byte(body))
		require.NoError(t, err)
		with, err := provider.Parse(http.Header{}, []byte("\ufeff"+body))
		require.NoError(t, err)
		require.Equal(t, without.ID, with.ID)
		require.Equal(t, without.BodyHash, with.BodyHash, "else the second is a conflict")
		require.Equal(t, without.ID, without.BodyHash)
	}
}

func TestBodyHash(t *testing.T) {
	t.Parallel()
	event, err := receiver.Shopify.Parse(headers("X-Shopify-Webhook-Id", "1", "X-Shopify-Topic", "a"), []byte(`{}`))
	require.NoError(t, err)
	require.Equal(t, bodyHash, event.BodyHash)
	custom := receiver.Custom("pigeon", func(http.Header, []byte) (receiver.Event, error) {
		return receiver.Event{ID: "1", Type: "a", BodyHash: "feathers"}, nil
	})
	event, err = custom.Parse(http.Header{}, []byte("\ufeff{}"))
	require.NoError(t, err)
	require.Equal(t, "feathers", event.BodyHash)
}
