package attempt_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/storetest"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// source is what CloudEvents of the tests name as their source.
const source = "https://postrider.example/a?b=\"c\""

// inFormat gives the rig's webhook a format, and the maker its source.
func (r *rig) inFormat(format models.Format) {
	r.t.Helper()
	r.maker.Source = source
	_, err := r.store.UpdateWebhook(r.t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
		w.Format = format
		return nil
	})
	require.NoError(r.t, err)
}

// received is the n-th request that the receiver got, with its body.
func (r *rig) received(n int) (*http.Request, string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Greater(r.t, len(r.requests), n)
	request := r.requests[n].Clone(r.t.Context())
	request.Body = http.NoBody
	return request, r.bodies[n]
}

// Each format keeps the publisher's bytes, is the same on every attempt, and is what the signatures cover.
func TestFormats(t *testing.T) {
	t.Parallel()
	const data = `{"b":1.0, "a":1e3}`
	for format, want := range map[models.Format]struct {
		body        string
		contentType string
		headers     map[string]string
	}{
		models.FormatEnvelope: {
			`{"id":"DLV","event":"order.created","event_id":"EVT","timestamp":"2026-01-02T03:04:05.123456Z","data":` + data + `}`,
			"application/json", nil,
		},
		models.FormatRaw: {data, "application/json", map[string]string{
			"X-Webhook-Event-Id": "EVT", "X-Webhook-Event-Time": "2026-01-02T03:04:05.123456Z",
		}},
		models.FormatCloudEvents: {data, "application/json", map[string]string{
			"Ce-Specversion": "1.0", "Ce-Id": "EVT", "Ce-Type": "order.created", "Ce-Source": source, "Ce-Time": "2026-01-02T03:04:05.123456Z",
		}},
		models.FormatCloudEventsStructured: {
			`{"specversion":"1.0","id":"EVT","source":"https://postrider.example/a?b=\"c\"","type":"order.created",` +
				`"time":"2026-01-02T03:04:05.123456Z","datacontenttype":"application/json","data":` + data + `}`,
			"application/cloudevents+json", nil,
		},
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, open opener) {
				r := newRig(t, open)
				r.inFormat(format)
				r.status = http.StatusInternalServerError
				require.Equal(t, models.StatusFailed, r.deliver(1).Status)
				r.status = http.StatusOK
				require.Equal(t, models.StatusDelivered, r.deliver(2).Status)
				for n := range 2 {
					request, body := r.received(n)
					ids := strings.NewReplacer("DLV", r.delivery.ID, "EVT", r.delivery.EventID)
					require.Equal(t, ids.Replace(want.body), body)
					require.Equal(t, want.contentType, request.Header.Get("Content-Type"))
					for name, value := range want.headers {
						require.Equal(t, ids.Replace(value), request.Header.Get(name), name)
					}
					for name := range request.Header {
						other := strings.HasPrefix(name, "Ce-") || strings.HasPrefix(name, "X-Webhook-Event-")
						require.False(t, other && want.headers[name] == "", name)
					}
					require.Equal(t, r.delivery.ID, request.Header.Get("X-Webhook-Delivery"))
					require.Equal(t, fmt.Sprint(n+1), request.Header.Get("X-Webhook-Attempt"))
					requireSigned(t, request, body)
				}
			})
		})
	}
}

// requireSigned verifies both signatures of a request.
func requireSigned(t *testing.T, request *http.Request, body string) {
	t.Helper()
	for _, scheme := range []signature.Scheme{signature.SchemePostrider, signature.SchemeStandardWebhooks} {
		verifier, err := signature.NewVerifier(signature.Config{
			Scheme: scheme, Secrets: []string{storetest.Secret}, Now: func() time.Time { return now },
		})
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(request.Header, []byte(body)))
	}
}

// The data of an event is any JSON, and the SDK of CloudEvents reads what is sent.
func TestCloudEventsSDKReads(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"object": `{"b":1.0, "a":1e3, "é":"é"}`, "text": `"a text"`, "number": `12345678901234567890`, "null": `null`, "list": ` [1, 2] `,
	} {
		for _, format := range []models.Format{models.FormatCloudEvents, models.FormatCloudEventsStructured} {
			t.Run(name+" "+string(format), func(t *testing.T) {
				t.Parallel()
				onEach(t, func(t *testing.T, open opener) {
					r := newRig(t, open)
					r.inFormat(format)
					happened := now.Add(-time.Hour)
					published, err := r.store.Publish(t.Context(), models.Event{Type: "order.created", Data: []byte(data), OccurredAt: &happened})
					require.NoError(t, err)
					r.delivery = published.Deliveries[0]
					require.Equal(t, models.StatusDelivered, r.deliver(1).Status)
					request, body := r.received(0)
					arrived, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader([]byte(body)))
					require.NoError(t, err)
					arrived.Header = request.Header
					event, err := cloudevents.NewEventFromHTTPRequest(arrived)
					require.NoError(t, err)
					require.NoError(t, event.Validate())
					require.Equal(t, "1.0", event.SpecVersion())
					require.Equal(t, r.delivery.EventID, event.ID())
					require.Equal(t, "order.created", event.Type())
					require.Equal(t, source, event.Source())
					require.Equal(t, happened, event.Time())
					require.Equal(t, "application/json", event.DataContentType())
					require.Equal(t, strings.TrimSpace(data), strings.TrimSpace(string(event.Data())))
				})
			})
		}
	}
}

// A delivery that waits gets its next attempt in the format that its webhook has then.
func TestTheFormatOfTheNextAttempt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open opener) {
		r := newRig(t, open)
		r.status = http.StatusInternalServerError
		require.Equal(t, models.StatusFailed, r.deliver(1).Status)
		r.inFormat(models.FormatRaw)
		require.Equal(t, models.StatusFailed, r.deliver(2).Status)
		_, body := r.received(1)
		require.Equal(t, `{"b":1.0, "a":1e3}`, body)
	})
}

// A webhook's time limit counts, not the installation's, whichever is longer.
func TestTheTimeLimitOfAWebhook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ webhooks, installations, want time.Duration }{
		"none":   {0, 0, 0},
		"of the": {0, 2 * time.Second, 2 * time.Second},
		"longer": {time.Minute, 2 * time.Second, time.Minute},
		"own":    {time.Second, 30 * time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, open opener) {
				r := newRig(t, open)
				sender := &asked{}
				r.maker.Sender, r.maker.Timeout = sender, test.installations
				_, err := r.store.UpdateWebhook(t.Context(), models.Scope{}, r.webhook.ID, func(w *models.Webhook) error {
					w.SetTimeout(test.webhooks)
					return nil
				})
				require.NoError(t, err)
				r.deliver(1)
				require.Equal(t, test.want, sender.how.Timeout)
			})
		})
	}
}
