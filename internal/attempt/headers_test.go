package attempt_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/headerlog"
	"github.com/postrider/postrider/models"
)

// logged is the attempt that the log has of the rig's delivery.
func (r *rig) logged() models.Attempt {
	r.t.Helper()
	attempts, err := r.store.Attempts(r.t.Context(), r.delivery.ID)
	require.NoError(r.t, err)
	require.Len(r.t, attempts, 1)
	return attempts[0]
}

func valuesOf(fields []headerlog.Field) map[string]string {
	values := map[string]string{}
	for _, field := range fields {
		values[field.Name] += field.Value
	}
	return values
}

// The log shows what was sent and answered, and no secret of either side.
func TestHeadersAreLogged(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.header = http.Header{
			"Set-Cookie": {"session=receivers"}, "X-Api-Token": {"receivers"}, "X-Echo": {"got theirs-is-longer", "Bearer theirs-is-longer"},
			"X-Team": {"b"}, "Content-Type": {"text/plain"}, "Www-Authenticate": {"Basic"}, "Date": {"today"}, "X-Bytes": {"a\xff\x80"},
		}
		r.webhook = r.change(models.Headers{"X-Team": "a", "Authorization": "Bearer theirs-is-longer", "traceparent": "theirs"})
		r.deliver(1)
		attempt := r.logged()
		sent := headerlog.Sent{DeliveryID: r.delivery.ID, Event: "order.created", Number: 1, StartedAt: attempt.StartedAt}
		require.Equal(t, map[string]string{
			"Authorization": headerlog.Masked, "Content-Type": "application/json", "Traceparent": headerlog.Masked, "User-Agent": "Postrider/test",
			"Webhook-Id": r.delivery.ID, "Webhook-Signature": headerlog.Masked, "Webhook-Timestamp": r.requests[0].Header.Get("Webhook-Timestamp"),
			"X-Team": headerlog.Masked, "X-Webhook-Attempt": "1", "X-Webhook-Delivery": r.delivery.ID, "X-Webhook-Event": "order.created",
			"X-Webhook-Signature": headerlog.Masked,
		}, valuesOf(sent.Unpack(attempt.RequestHeaders)))
		require.Equal(t, map[string]string{
			"Content-Length": "6", "Content-Type": "text/plain", "Date": "today", "Set-Cookie": headerlog.Masked, "X-Api-Token": headerlog.Masked,
			"X-Echo": headerlog.Masked + headerlog.Masked, "X-Team": "b", "Www-Authenticate": "Basic", "X-Bytes": "a\uFFFD",
		}, valuesOf(headerlog.Unpack(attempt.ResponseHeaders)))
		for _, column := range [][]byte{attempt.RequestHeaders, attempt.ResponseHeaders} {
			require.NotContains(t, string(column), "theirs")
		}
	})
}

func TestHeadersOfAReceiverThatAnswersMany(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status, r.header = http.StatusInternalServerError, http.Header{}
		for i := range 40 {
			r.header.Set("X-"+strings.Repeat("a", i+1), strings.Repeat("\xfe~", 700))
		}
		r.deliver(1)
		attempt := r.logged()
		require.Less(t, len(attempt.ResponseHeaders), 32<<10)
		require.NotEmpty(t, valuesOf(headerlog.Unpack(attempt.ResponseHeaders))[headerlog.Cut])
	})
}

// Without a connection nothing was sent.
func TestNoHeadersWithoutARequest(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
			w.URL = "http://127.0.0.1:1/"
			return nil
		})
		require.NoError(t, err)
		r.deliver(1)
		attempt := r.logged()
		require.Equal(t, models.ErrorConnectionRefused, attempt.ErrorClass)
		require.Nil(t, attempt.RequestHeaders)
		require.Nil(t, attempt.ResponseHeaders)
	})
}

// change gives the webhook other headers.
func (r *rig) change(headers models.Headers) models.Webhook {
	r.t.Helper()
	webhook, err := r.store.UpdateWebhook(r.t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.SetHeaders(headers)
		return nil
	})
	require.NoError(r.t, err)
	return webhook
}
