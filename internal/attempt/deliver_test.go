package attempt_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

func TestDeliverSendsTheWireContract(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
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

		signer, err := signature.NewSigner(storetest.Secret)
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
			"Accept-Encoding":     "identity",
			"X-Team":              "a",
			"Authorization":       "Bearer theirs",
			"Content-Length":      fmt.Sprint(len(body)),
		}
		got := map[string]string{}
		for name := range request.Header {
			got[name] = request.Header.Get(name)
		}
		require.Equal(t, want, got)
	})
}

// What the publisher gave beside the data goes out in headers. Names that some servers read as others are sent as those.
func TestWhatAPublisherGivesGoesOutInHeaders(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		published, err := r.store.Publish(t.Context(), models.Event{
			Type: "order.created", Data: []byte(`{}`), Metadata: models.Metadata{"order_id": "42", "Region.code": "eu west"}, TraceParent: trace,
		})
		require.NoError(t, err)
		r.delivery = published.Deliveries[0]
		require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
		header := r.requests[0].Header
		require.Equal(t, []string{"42"}, header["X-Webhook-Meta-Order-Id"])
		require.Equal(t, []string{"eu west"}, header["X-Webhook-Meta-Region-Code"])
		require.Equal(t, []string{trace}, header["Traceparent"])
	})
}

// The API refuses such headers. Were one in the database all the same, ours would win.
func TestAWebhooksHeadersDoNotReplaceOurs(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
			w.SetHeaders(models.Headers{"Host": "evil.example", "content-length": "3", "Transfer-Encoding": "chunked", "user-agent": "x",
				"content-type": "text/plain", "x-webhook-signature": "t=1,v1=00", "webhook-signature": "v1,x", "Webhook-ID": "x",
				"x-webhook-event": "x", "X-WEBHOOK-DELIVERY": "x", "x-webhook-attempt": "9", "webhook-timestamp": "1",
				"X_Webhook_Signature": "t=1,v1=00", "webhook_id": "x", "X_My_Own": "stays"})
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
		request, body := r.requests[0], r.bodies[0]
		require.Equal(t, r.webhook.Host, request.Host)
		require.EqualValues(t, len(body), request.ContentLength)
		require.Empty(t, request.TransferEncoding)
		signer, err := signature.NewSigner(storetest.Secret)
		require.NoError(t, err)
		for name, want := range map[string]string{
			"User-Agent": "Postrider/test", "Content-Type": "application/json", "X-Webhook-Event": "order.created",
			"X-Webhook-Delivery": r.delivery.ID, "X-Webhook-Attempt": "1", "Webhook-Id": r.delivery.ID,
			"Webhook-Timestamp": fmt.Sprint(now.Unix()), "X-Webhook-Signature": signer.Postrider(now, []byte(body)),
			"Webhook-Signature": signer.Standard(r.delivery.ID, now, []byte(body)),
		} {
			require.Equal(t, []string{want}, request.Header.Values(name))
		}
		require.Empty(t, request.Header.Values("X_webhook_signature"), "WSGI and Rack would take it for ours")
		require.Empty(t, request.Header.Values("Webhook_id"))
		require.Equal(t, "stays", request.Header.Get("X_my_own"))
	})
}

// A header of two lines is never sent: the attempt fails, and tells nothing of it.
func TestAHeaderOfTwoLinesIsNotSent(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
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
	})
}

func TestDeliverRecordsTheAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
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
	})
}

// A process that dies between the commit of an attempt and its report to Temporal leaves an activity that
// runs again.
func TestDeliverAgainDoesNotSendAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for _, status := range []int{200, 500, 410} {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, open)
				r.status = status
				first := r.deliver(1)
				again := r.deliver(1)
				first.DisableWebhook = "" // done
				require.Equal(t, first, again)
				require.Len(t, r.requests, 1)
				require.Len(t, r.attempts(), 1)
			})
		}
	})
}

func TestTheNextAttemptIsSent(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status = 500
		first, second := r.deliver(1), r.deliver(2)
		require.NotEqual(t, first.AttemptID, second.AttemptID)
		require.Equal(t, 2, second.Number)
		require.Equal(t, 5*time.Minute, second.Wait())
		require.Len(t, r.requests, 2)
	})
}

func TestRedirectIsAFailureAndNotFollowed(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status = http.StatusFound
		result := r.deliver(1)
		require.Equal(t, models.StatusFailed, result.Status)
		require.Equal(t, "the receiver answered 302 Found; redirects are not followed", result.Error)
		require.Len(t, r.requests, 1)
	})
}

// 304 is no redirect: it is an answer to a question that a delivery does not ask.
func TestEachStatusBelow400IsExplained(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for status, says := range map[int]string{
			http.StatusMultipleChoices: "300 Multiple Choices; only 2xx counts as received", http.StatusUseProxy: "305 Use Proxy; only 2xx counts as received",
			306: "306; only 2xx counts as received", http.StatusPermanentRedirect: "308 Permanent Redirect; redirects are not followed",
			http.StatusNotModified: "304 Not Modified; it means that a cached copy is still good, and a delivery has none: answer 2xx",
			399:                    "399; only 2xx counts as received", http.StatusBadRequest: "400 Bad Request",
		} {
			r := newRig(t, open)
			r.status = status
			require.Equal(t, "the receiver answered "+says, r.deliver(1).Error)
		}
	})
}

// The owner reads that the target may not be reached, the log why.
func TestRefusedTargetIsExplainedInTheLogOnly(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		for url, reason := range map[string]string{
			"http://10.0.0.5/hook?token=private": "10.0.0.5 is a private address (10.0.0.0/8)", "http://[fd00:ec2::254]/": "fd00:ec2::254 is a cloud metadata address",
			"http://93.184.215.14:22/": "port 22 is not one of the permitted ports",
		} {
			r := newRig(t, open)
			var logged bytes.Buffer
			r.maker.Logger = slog.New(slog.NewTextHandler(&logged, nil))
			_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
				w.URL = url
				return nil
			})
			require.NoError(t, err)
			result := r.deliver(1)
			require.Equal(t, models.ErrorBlocked, result.ErrorClass)
			require.Equal(t, "blocked: this target may not be reached from here; an administrator finds the reason in the log", result.Error)
			require.Equal(t, result.Error, r.attempts()[0].Error)
			require.Contains(t, logged.String(), reason)
			require.NotContains(t, logged.String(), "private?")
			require.NotContains(t, logged.String(), "token")
		}
	})
}

// The URL of a webhook goes out as it is stored; one that an earlier release took and that means nothing fails
// its attempts.
func TestURLGoesOutAsStored(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		base, _, _ := strings.Cut(r.webhook.URL, "/hook")
		for i, path := range []string{"/a%2Fb/%C3%A9", "/x%2Fy^z", "//double?a|b"} {
			_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
				w.URL = base + path
				return nil
			})
			require.NoError(t, err)
			r.deliver(i + 1)
			require.Equal(t, path, r.requests[i].RequestURI)
		}
		_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
			w.URL = "http://example.com:99999/"
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, "blocked: expected a port from 1 to 65535", r.deliver(4).Error)
	})
}

func TestTransportFailureIsAnAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
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
	})
}

// The log's words cover everything that the client can report.
func TestEveryClassOfTheClientIsAnErrorClass(t *testing.T) {
	t.Parallel()
	for _, class := range []egress.Class{egress.ClassDNS, egress.ClassConnectionRefused, egress.ClassConnectTimeout,
		egress.ClassTimeout, egress.ClassTLS, egress.ClassReset, egress.ClassBlocked} {
		require.Contains(t, storetest.ErrorClasses(), models.ErrorClass(class))
	}
}
