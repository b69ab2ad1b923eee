package attempt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
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
