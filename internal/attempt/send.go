package attempt

import (
	"bytes"
	"cmp"
	"context"
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
	failure, err := m.transform(ctx, &job)
	if err != nil || failure != "" {
		attempt.ErrorClass, attempt.Error = models.ErrorTransform, failure
		return attempt, nil, err
	}
	keys, err := m.open(job.Webhook, attempt.StartedAt)
	if err != nil {
		return attempt, nil, err
	}
	request, response, err := m.exchange(ctx, job, keys, attempt)
	if request != nil {
		logHeaders(&attempt, job, request, response)
	}
	attempt.DurationMS = response.Duration.Milliseconds()
	attempt.RemoteAddr = response.RemoteAddr
	attempt.ResponseBody = response.Body
	if err != nil {
		if ours := m.setFailure(ctx, &attempt, job.Webhook, err); ours != nil {
			return attempt, nil, fmt.Errorf("attempt interrupted: %w", ours)
		}
		attempt.Error += expiryOf(keys.TLS, attempt)
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

// exchange makes the request, with a token where the webhook's receiver wants one, and returns it as it went out; nil when
// there was none.
func (m *Maker) exchange(ctx context.Context, job models.Job, keys keys, attempt models.Attempt) (*http.Request, egress.Result, error) {
	how := egress.Options{Keep: models.MaxResponseBody, Timeout: m.timeoutOf(job.Webhook), Identity: identityOf(keys.TLS)}
	request := func() (*http.Request, error) { return m.newRequest(ctx, job, keys, attempt) }
	if keys.Auth != nil && keys.Auth.OAuth2 != nil {
		began := time.Now()
		sent, result, err := m.withToken(ctx, job.Webhook.ID, *keys.Auth.OAuth2, how, request)
		result.Duration = time.Since(began)
		return sent, result, err
	}
	ready, err := request()
	if err != nil {
		return nil, egress.Result{}, err
	}
	if keys.Auth != nil {
		ready.Header.Set("Authorization", authorization(*keys.Auth))
	}
	result, err := m.Sender.Do(ready, how)
	return ready, result, err
}

// newRequest builds the request of the wire contract. The body is the same on every attempt, as long as the webhook's
// format is.
func (m *Maker) newRequest(ctx context.Context, job models.Job, keys keys, attempt models.Attempt) (*http.Request, error) {
	body := bodyOf(job, m.Source)
	request, err := egress.NewRequest(ctx, http.MethodPost, job.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	id := job.Delivery.ID
	header := request.Header
	for name, value := range keys.headers {
		header.Set(name, value)
	}
	addSignatures(header, keys.Signatures, id, attempt.StartedAt, body)
	setEventHeaders(header, job.Event)
	describeBody(header, job, m.Source)
	header.Set("User-Agent", m.UserAgent)
	header.Set("X-Webhook-Event", job.Event.Type)
	header.Set("X-Webhook-Delivery", id)
	header.Set("X-Webhook-Attempt", strconv.Itoa(attempt.Number))
	keys.sign(header, id, attempt.StartedAt, body)
	for name := range keys.headers {
		// Set before such names were refused: WSGI and Rack take X_Webhook_Signature for the header above.
		if strings.Contains(name, "_") && header.Get(strings.ReplaceAll(name, "_", "-")) != "" {
			header.Del(name)
		}
	}
	return request, nil
}

// keys are what a webhook's requests are made with, opened for one attempt.
type keys struct {
	headers models.Headers
	models.Credentials
	// hmac and ed25519 have the secrets of each kind; nil without any.
	hmac    *signature.Signer
	ed25519 *signature.Ed25519Signer
}

// open decrypts what an attempt needs of a webhook.
func (m *Maker) open(webhook models.Webhook, at time.Time) (opened keys, err error) {
	secrets, err := m.Store.SigningSecrets(webhook, at)
	if err != nil {
		return keys{}, err
	}
	if opened, err = signersOf(secrets); err != nil {
		return keys{}, fmt.Errorf("secret of %s: %w", webhook.ID, err)
	}
	if opened.headers, err = m.Store.OpenHeaders(webhook); err != nil {
		return keys{}, err
	}
	opened.Credentials, err = m.Store.OpenCredentials(webhook)
	return opened, err
}

// sign signs with every secret that signs at present. A webhook whose secrets are for Ed25519 sends no
// X-Webhook-Signature, which is an HMAC.
func (k keys) sign(header http.Header, id string, at time.Time, body []byte) {
	header.Set(signature.HeaderID, id)
	header.Set(signature.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	standard := ""
	if k.hmac != nil {
		header.Set(signature.HeaderPostrider, k.hmac.Postrider(at, body))
		standard = k.hmac.Standard(id, at, body)
	}
	if k.ed25519 != nil {
		standard = strings.TrimSpace(k.ed25519.Standard(id, at, body) + " " + standard)
	}
	header.Set(signature.HeaderSignature, standard)
}

// bodyOf is what the receiver gets. The publisher's data keeps its bytes in every format.
func bodyOf(job models.Job, source string) []byte {
	switch job.Webhook.Format {
	case models.FormatRaw, models.FormatCloudEvents:
		return job.Event.Data
	case models.FormatCloudEventsStructured:
		return cloudEvent(job.Event, source)
	}
	return envelope(job.Delivery, job.Event)
}

// timeoutOf is how long an attempt may take.
func (m *Maker) timeoutOf(webhook models.Webhook) time.Duration {
	return cmp.Or(webhook.Timeout(), m.Timeout)
}

func triggerOf(delivery models.Delivery, in Input) models.Trigger {
	if delivery.Test && in.Trigger == models.TriggerSchedule {
		return models.TriggerTest
	}
	return in.Trigger
}
