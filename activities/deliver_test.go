package activities_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

func TestDeliverSendsTheWireContract(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	result := r.deliver(1)
	require.Equal(t, models.StatusDelivered, result.Status)

	require.Len(t, r.requests, 1)
	request, body := r.requests[0], r.bodies[0]
	require.Equal(t, http.MethodPost, request.Method)
	require.Equal(t, "/hook?token=private", request.URL.RequestURI())
	event, err := r.store.Event(t.Context(), models.Scope{}, r.delivery.EventID)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf(
		`{"id":"%s","event":"order.created","event_id":"%s","timestamp":"2026-01-02T03:04:05.123456Z","data":{"b":1.0, "a":1e3}}`,
		r.delivery.ID, event.ID), body)

	signer, err := signature.NewSigner(testSecret)
	require.NoError(t, err)
	want := map[string]string{
		"Content-Type":        "application/json",
		"User-Agent":          "Postrider/test",
		"X-Webhook-Event":     "order.created",
		"X-Webhook-Delivery":  r.delivery.ID,
		"X-Webhook-Attempt":   "1",
		"X-Webhook-Signature": signer.Postrider(now, []byte(body)),
		"Webhook-Id":          r.delivery.ID,
		"Webhook-Timestamp":   fmt.Sprint(now.Unix()),
		"Webhook-Signature":   signer.Standard(r.delivery.ID, now, []byte(body)),
		"X-Team":              "a",
		"Authorization":       "Bearer theirs",
		"Content-Length":      fmt.Sprint(len(body)),
	}
	got := map[string]string{}
	for name := range request.Header {
		got[name] = request.Header.Get(name)
	}
	require.Equal(t, want, got)
}

// The API refuses such headers. Were one in the database all the same, ours would win.
func TestAWebhooksHeadersDoNotReplaceOurs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.SetHeaders(models.Headers{"Host": "evil.example", "content-length": "3", "Transfer-Encoding": "chunked", "user-agent": "x",
			"content-type": "text/plain", "x-webhook-signature": "t=1,v1=00", "webhook-signature": "v1,x", "Webhook-ID": "x",
			"x-webhook-event": "x", "X-WEBHOOK-DELIVERY": "x", "x-webhook-attempt": "9", "webhook-timestamp": "1"})
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
	request, body := r.requests[0], r.bodies[0]
	require.Equal(t, r.webhook.Host, request.Host)
	require.EqualValues(t, len(body), request.ContentLength)
	require.Empty(t, request.TransferEncoding)
	signer, err := signature.NewSigner(testSecret)
	require.NoError(t, err)
	for name, want := range map[string]string{
		"User-Agent": "Postrider/test", "Content-Type": "application/json", "X-Webhook-Event": "order.created",
		"X-Webhook-Delivery": r.delivery.ID, "X-Webhook-Attempt": "1", "Webhook-Id": r.delivery.ID,
		"Webhook-Timestamp": fmt.Sprint(now.Unix()), "X-Webhook-Signature": signer.Postrider(now, []byte(body)),
		"Webhook-Signature": signer.Standard(r.delivery.ID, now, []byte(body)),
	} {
		require.Equal(t, []string{want}, request.Header.Values(name))
	}
}

// A header of two lines is never sent: the attempt fails, and tells nothing of it.
func TestAHeaderOfTwoLinesIsNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.SetHeaders(models.Headers{"X-Team": "a\r\nX-Private: b"})
		return nil
	})
	require.NoError(t, err)
	result := r.deliver(1)
	require.Equal(t, models.StatusFailed, result.Status)
	require.Equal(t, models.ErrorBlocked, result.ErrorClass)
	require.NotContains(t, result.Error, "X-Private")
	require.Empty(t, r.requests)
}

func TestDeliverRecordsTheAttempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.status = http.StatusTeapot
	result := r.deliver(1)
	require.Equal(t, models.StatusFailed, result.Status)
	require.Equal(t, time.Minute, result.Wait())
	require.Equal(t, 1, result.Retry)
	require.Equal(t, 5, result.Retries)

	attempts := r.attempts()
	require.Len(t, attempts, 1)
	attempt := attempts[0]
	require.Equal(t, 418, *attempt.StatusCode)
	require.Equal(t, models.ErrorHTTPStatus, attempt.ErrorClass)
	require.Equal(t, "the receiver answered 418 I'm a teapot", attempt.Error)
	require.Equal(t, "answer", string(attempt.ResponseBody))
	require.Equal(t, r.webhook.Host, attempt.RemoteAddr)
	require.Equal(t, now, attempt.StartedAt.UTC())
}

// A process that dies between the commit of an attempt and its report to Temporal leaves an activity that
// runs again.
func TestDeliverAgainDoesNotSendAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 500, 410} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.status = status
			first := r.deliver(1)
			again := r.deliver(1)
			first.DisableWebhook = "" // done
			require.Equal(t, first, again)
			require.Len(t, r.requests, 1)
			require.Len(t, r.attempts(), 1)
		})
	}
}

func TestTheNextAttemptIsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.status = 500
	first, second := r.deliver(1), r.deliver(2)
	require.NotEqual(t, first.AttemptID, second.AttemptID)
	require.Equal(t, 2, second.Number)
	require.Equal(t, 5*time.Minute, second.Wait())
	require.Len(t, r.requests, 2)
}

func TestRedirectIsAFailureAndNotFollowed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.status = http.StatusFound
	result := r.deliver(1)
	require.Equal(t, models.StatusFailed, result.Status)
	require.Equal(t, "the receiver answered 302 Found; redirects are not followed", result.Error)
	require.Len(t, r.requests, 1)
}

func TestTransportFailureIsAnAttempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.URL = "http://127.0.0.1:1/hook?token=private"
		return nil
	})
	require.NoError(t, err)
	result := r.deliver(1)
	require.Equal(t, models.StatusFailed, result.Status)
	require.Equal(t, models.ErrorConnectionRefused, result.ErrorClass)
	require.Equal(t, "connection refused by 127.0.0.1:1", result.Error)
	require.Nil(t, result.StatusCode)
	require.Equal(t, result.Error, r.attempts()[0].Error)
}

// The log's words cover everything that the client can report.
func TestEveryClassOfTheClientIsAnErrorClass(t *testing.T) {
	t.Parallel()
	for _, class := range []egress.Class{egress.ClassDNS, egress.ClassConnectionRefused, egress.ClassConnectTimeout,
		egress.ClassTimeout, egress.ClassTLS, egress.ClassReset, egress.ClassBlocked} {
		require.Contains(t, models.ErrorClasses(), models.ErrorClass(class))
	}
}
