package attempt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// send signs and makes the request. An error is ours or a cancellation; what the receiver or the network did is in the
// attempt.
func (m *Maker) send(ctx context.Context, job models.Job, in Input, run Run) (models.Attempt, http.Header, error) {
	attempt := models.Attempt{
		ID:         attemptID(in, run),
		DeliveryID: job.Delivery.ID,
		Number:     job.Delivery.AttemptCount + 1,
		Trigger:    triggerOf(job.Delivery, in),
		StartedAt:  m.Now().UTC().Truncate(time.Microsecond),
	}
	secrets, err := m.Store.SigningSecrets(job.Webhook, attempt.StartedAt)
	if err != nil {
		return attempt, nil, err
	}
	signer, err := signature.NewSigner(secrets...)
	if err != nil {
		return attempt, nil, fmt.Errorf("secret of %s: %w", job.Webhook.ID, err)
	}
	if job.Webhook.Headers, err = m.Store.OpenHeaders(job.Webhook); err != nil {
		return attempt, nil, err
	}
	var response egress.Result
	request, err := newRequest(ctx, job, signer, attempt, m.UserAgent)
	if err == nil {
		response, err = m.Sender.Send(request, models.MaxResponseBody)
		logHeaders(&attempt, job, request, response)
	}
	attempt.DurationMS = response.Duration.Milliseconds()
	attempt.RemoteAddr = response.RemoteAddr
	attempt.ResponseBody = response.Body
	var failure *egress.Error
	switch {
	case errors.As(err, &failure):
		attempt.ErrorClass = models.ErrorClass(failure.Class)
		attempt.Error = failure.Message
		if failure.Detail != "" {
			// The owner reads the attempt; what it would tell of the inside is for administrators.
			m.Logger.InfoContext(ctx, "target not reached", "delivery_id", attempt.DeliveryID, "webhook_id", job.Webhook.ID,
				"host", job.Webhook.Host, "error_class", failure.Class, "reason", failure.Detail)
		}
	case err != nil:
		return attempt, nil, fmt.Errorf("attempt interrupted: %w", err)
	}
	if response.StatusCode != 0 {
		attempt.StatusCode = &response.StatusCode
	}
	if err == nil && (response.StatusCode < 200 || response.StatusCode > 299) {
		attempt.ErrorClass = models.ErrorHTTPStatus
		attempt.Error = describeStatus(response.StatusCode)
	}
	return attempt, response.Header, nil
}

// newRequest builds the request of the wire contract. The body is the same on every attempt.
func newRequest(ctx context.Context, job models.Job, signer *signature.Signer, attempt models.Attempt, userAgent string) (*http.Request, error) {
	body := Body(job.Delivery, job.Event)
	request, err := egress.NewRequest(ctx, http.MethodPost, job.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	id := job.Delivery.ID
	header := request.Header
	for name, value := range job.Webhook.Headers {
		header.Set(name, value)
	}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", userAgent)
	header.Set("X-Webhook-Event", job.Event.Type)
	header.Set("X-Webhook-Delivery", id)
	header.Set("X-Webhook-Attempt", strconv.Itoa(attempt.Number))
	header.Set(signature.HeaderPostrider, signer.Postrider(attempt.StartedAt, body))
	header.Set(signature.HeaderID, id)
	header.Set(signature.HeaderTimestamp, strconv.FormatInt(attempt.StartedAt.Unix(), 10))
	header.Set(signature.HeaderSignature, signer.Standard(id, attempt.StartedAt, body))
	for name := range job.Webhook.Headers {
		// Set before such names were refused: WSGI and Rack take X_Webhook_Signature for the header above.
		if strings.Contains(name, "_") && header.Get(strings.ReplaceAll(name, "_", "-")) != "" {
			header.Del(name)
		}
	}
	return request, nil
}

// Body is what receivers get: the envelope around the publisher's data, whose bytes are kept.
func Body(delivery models.Delivery, event models.Event) []byte {
	const around = 160
	body := make([]byte, 0, around+len(event.Type)+len(event.Data))
	body = append(body, `{"id":"`...)
	body = append(body, delivery.ID...)
	body = append(body, `","event":"`...)
	body = append(body, event.Type...)
	body = append(body, `","event_id":"`...)
	body = append(body, event.ID...)
	body = append(body, `","timestamp":"`...)
	body = event.CreatedAt.UTC().AppendFormat(body, time.RFC3339Nano)
	body = append(body, `","data":`...)
	body = append(body, event.Data...)
	return append(body, '}')
}

func triggerOf(delivery models.Delivery, in Input) models.Trigger {
	if delivery.Test && in.Trigger == models.TriggerSchedule {
		return models.TriggerTest
	}
	return in.Trigger
}

func describeStatus(code int) string {
	text := "the receiver answered " + strconv.Itoa(code)
	if name := http.StatusText(code); name != "" {
		text += " " + name
	}
	return text + explainStatus(code)
}

// explainStatus says what a code between success and refusal means for a delivery.
func explainStatus(code int) string {
	switch code {
	case http.StatusNotModified:
		return "; it means that a cached copy is still good, and a delivery has none: answer 2xx"
	case http.StatusMultipleChoices, http.StatusUseProxy, 306:
		return "; only 2xx counts as received"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return "; redirects are not followed"
	}
	if code < 200 || code >= 300 && code < 400 {
		return "; only 2xx counts as received"
	}
	return ""
}
