package attempt

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

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
