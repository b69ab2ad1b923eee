package activities

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/models"
	"github.com/postrider/postrider/signature"
)

// heartbeatEvery is how often a running activity tells Temporal that its process lives.
const heartbeatEvery = 3 * time.Second

// recordTimeout bounds the first try to write the log; RecordAttempt has all the time it needs.
const recordTimeout = 10 * time.Second

// AttemptInput asks for one attempt of a delivery.
type AttemptInput struct {
	DeliveryID string         `json:"delivery_id"`
	Trigger    models.Trigger `json:"trigger"`
	// Sequence counts the attempts of this workflow run from 1.
	Sequence int `json:"sequence"`
	// Failures is how many attempts of the schedule have failed before this one.
	Failures int `json:"failures"`
	// ScheduledAt is when the workflow asked for the attempt.
	ScheduledAt time.Time `json:"scheduled_at"`
	// ResumeAt is set for an extra attempt, asked for while the delivery waits: when the wait ends. An extra
	// attempt uses up no retry.
	ResumeAt *time.Time `json:"resume_at,omitempty"`
	// Slow says that the attempt is made in the slow lane; Detours counts those that it took. SlotAt is the
	// moment that was reserved for it under the webhook's rate limit, SlotSince which of the timetables it is of.
	Slow      bool       `json:"slow,omitempty"`
	Detours   int        `json:"detours,omitempty"`
	SlotAt    *time.Time `json:"slot_at,omitempty"`
	SlotSince int64      `json:"slot_since,omitempty"`
}

// AttemptResult is what an attempt made of its delivery. It holds outcomes only: no payload, no response
// body and no secret may get into a workflow's history.
type AttemptResult struct {
	AttemptID  string            `json:"attempt_id,omitempty"`
	Number     int               `json:"number,omitempty"`
	Trigger    models.Trigger    `json:"trigger,omitempty"`
	StatusCode *int              `json:"status_code,omitempty"`
	ErrorClass models.ErrorClass `json:"error_class,omitempty"`
	Error      string            `json:"error,omitempty"`
	DurationMS int64             `json:"duration_ms"`
	RemoteAddr string            `json:"remote_addr,omitempty"`
	StartedAt  time.Time         `json:"started_at,omitzero"`

	// Status is the delivery's from now on.
	Status models.Status `json:"status"`
	// CancelReason is set for StatusCancelled: no request was made.
	CancelReason string `json:"cancel_reason,omitempty"`
	// NextAttemptAt and WaitMS, the milliseconds until then, are set for StatusFailed.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	WaitMS        int64      `json:"wait_ms,omitempty"`
	// Retry of Retries is the attempt that follows the wait.
	Retry   int `json:"retry,omitempty"`
	Retries int `json:"retries,omitempty"`
	// DisableWebhook, unless empty, is why the webhook gets no more deliveries.
	DisableWebhook string `json:"disable_webhook,omitempty"`
	// Notify asks for the owner to be told.
	Notify bool `json:"notify,omitempty"`
	// Change is the turn that the attempt brought about in its webhook's health; empty for none.
	Change models.HealthChange `json:"change,omitempty"`
	// ThrottledUntil, unless nil, is until when other deliveries' first attempts keep away from the webhook.
	ThrottledUntil *time.Time `json:"throttled_until,omitempty"`
	// Receiver is which of its webhook's receivers was called, counted through the changes of URL.
	Receiver int `json:"receiver,omitempty"`
	// Sick says that the next attempt belongs in the slow lane.
	Sick bool `json:"sick,omitempty"`
	// Detour, unless nil, says that no attempt was made, and where and when it is to be made.
	Detour *Detour `json:"detour,omitempty"`
	// Unrecorded says that the request was made but the log could not be written: RecordAttempt must follow.
	Unrecorded bool `json:"unrecorded,omitempty"`
}

// Wait is the time until the next attempt.
func (r AttemptResult) Wait() time.Duration { return time.Duration(r.WaitMS) * time.Millisecond }

// Deliver makes one attempt and records it. When the log has the attempt already, its outcome is returned
// and the receiver is not called again.
func (a *Activities) Deliver(ctx context.Context, in AttemptInput) (AttemptResult, error) {
	runID := activity.GetInfo(ctx).WorkflowExecution.RunID
	attemptID := models.AttemptID(runID, in.Sequence, in.ScheduledAt)
	// From here on: a database that lets the attempt wait must not make it look dead and be repeated elsewhere.
	stopHeartbeat := heartbeat(ctx)
	defer stopHeartbeat()
	dispatch, err := a.load(ctx, in, attemptID, runID)
	if err != nil {
		return AttemptResult{}, err
	}
	if dispatch.Recorded.ID != "" {
		return a.recorded(dispatch, in), nil
	}
	if cause, reason := reasonToStop(dispatch, in); reason != "" {
		return a.stop(ctx, in.DeliveryID, cause, reason)
	}
	if detour := behindFirst(dispatch, in, a.Now()); detour != nil {
		return AttemptResult{Status: dispatch.Delivery.Status, Detour: detour}, nil
	}
	detour, leave, err := a.enter(ctx, dispatch, in)
	if err != nil {
		return AttemptResult{}, err
	}
	if detour != nil {
		return a.takeDetour(ctx, dispatch, in, detour)
	}
	defer leave()
	// A request that is on its way is finished, whoever cancels.
	attempt, header, err := a.send(context.WithoutCancel(ctx), dispatch, in, attemptID)
	if err != nil {
		return AttemptResult{}, err
	}
	result := a.decide(dispatch, in, attempt, header)
	outcome := outcomeOf(result, in.DeliveryID, runID, attempt.ResponseBody)
	outcome.Health = dispatch.Health
	recorded, err := a.record(ctx, outcome)
	if err != nil {
		a.Logger.WarnContext(ctx, "attempt not recorded yet", "delivery_id", in.DeliveryID, "error", err)
		result.Unrecorded = true
	}
	result.learn(recorded)
	a.report(ctx, dispatch, result)
	return result, nil
}

// load finds out what the attempt needs to know. A first attempt that was made without a workflow counts as
// recorded by this run.
func (a *Activities) load(ctx context.Context, in AttemptInput, attemptID, runID string) (models.Job, error) {
	if dispatch, ok := a.Fresh.take(in, a.Now()); ok {
		return dispatch, nil
	}
	dispatch, err := a.Store.Dispatch(ctx, in.DeliveryID, attemptID)
	if err == nil && dispatch.Recorded.ID == "" && madeDirectly(dispatch, in) {
		dispatch.Recorded, err = a.Store.AdoptFirstAttempt(ctx, in.DeliveryID, runID)
	}
	if errors.Is(err, models.ErrNotFound) {
		return dispatch, temporal.NewNonRetryableApplicationError(
			"there is no delivery "+in.DeliveryID, ErrTypeDeliveryNotFound, nil)
	}
	return dispatch, err
}

// reasonToStop says why the webhook must get no request, in a word and for people; empty when it must.
func reasonToStop(dispatch models.Job, in AttemptInput) (models.CancelCause, string) {
	webhook := dispatch.Webhook
	switch {
	case dispatch.Delivery.Status == models.StatusCancelled && in.Trigger != models.TriggerResend:
		return dispatch.Delivery.CancelCause, dispatch.Delivery.CancelReason
	case webhook.DeletedAt != nil:
		return models.CauseDeleted, "the webhook was deleted"
	case webhook.Suspended:
		return models.CauseInactive, models.ErrOwnerSuspended.Error()
	case webhook.Active || dispatch.Delivery.Test:
		return "", ""
	case webhook.DisabledReason != "":
		return models.CauseInactive, "the webhook is disabled: " + webhook.DisabledReason
	default:
		return models.CauseInactive, "the webhook is paused"
	}
}

func (a *Activities) stop(ctx context.Context, deliveryID string, cause models.CancelCause, reason string) (AttemptResult, error) {
	err := a.Store.StopDelivery(ctx, deliveryID, cause, reason)
	if err != nil && !errors.Is(err, models.ErrFinished) {
		return AttemptResult{}, err
	}
	return AttemptResult{Status: models.StatusCancelled, CancelReason: reason}, nil
}

// send makes the request. Its error is ours or a cancellation; what the receiver or the network did is in
// the attempt.
func (a *Activities) send(ctx context.Context, dispatch models.Job, in AttemptInput, attemptID string) (models.Attempt, http.Header, error) {
	attempt := models.Attempt{
		ID:         attemptID,
		DeliveryID: dispatch.Delivery.ID,
		Number:     dispatch.Delivery.AttemptCount + 1,
		Trigger:    triggerOf(dispatch.Delivery, in),
		StartedAt:  a.Now().UTC().Truncate(time.Microsecond),
	}
	secrets, err := a.Store.SigningSecrets(dispatch.Webhook, attempt.StartedAt)
	if err != nil {
		return attempt, nil, err
	}
	signer, err := signature.NewSigner(secrets...)
	if err != nil {
		return attempt, nil, fmt.Errorf("secret of %s: %w", dispatch.Webhook.ID, err)
	}
	if dispatch.Webhook.Headers, err = a.Store.OpenHeaders(dispatch.Webhook); err != nil {
		return attempt, nil, err
	}
	var response egress.Result
	request, err := newRequest(ctx, dispatch, signer, attempt, a.UserAgent)
	if err == nil {
		response, err = a.Sender.Send(request, models.MaxResponseBody)
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
			a.Logger.InfoContext(ctx, "target not reached", "delivery_id", attempt.DeliveryID, "webhook_id", dispatch.Webhook.ID,
				"host", dispatch.Webhook.Host, "error_class", failure.Class, "reason", failure.Detail)
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

func triggerOf(delivery models.Delivery, in AttemptInput) models.Trigger {
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

// newRequest builds the request of the wire contract. The body is the same on every attempt.
func newRequest(ctx context.Context, dispatch models.Job, signer *signature.Signer, attempt models.Attempt, userAgent string) (*http.Request, error) {
	body := Body(dispatch.Delivery, dispatch.Event)
	request, err := egress.NewRequest(ctx, http.MethodPost, dispatch.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	id := dispatch.Delivery.ID
	header := request.Header
	for name, value := range dispatch.Webhook.Headers {
		header.Set(name, value)
	}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", userAgent)
	header.Set("X-Webhook-Event", dispatch.Event.Type)
	header.Set("X-Webhook-Delivery", id)
	header.Set("X-Webhook-Attempt", strconv.Itoa(attempt.Number))
	header.Set(signature.HeaderPostrider, signer.Postrider(attempt.StartedAt, body))
	header.Set(signature.HeaderID, id)
	header.Set(signature.HeaderTimestamp, strconv.FormatInt(attempt.StartedAt.Unix(), 10))
	header.Set(signature.HeaderSignature, signer.Standard(id, attempt.StartedAt, body))
	for name := range dispatch.Webhook.Headers {
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

// heartbeat keeps telling Temporal that the activity is alive, so that the death of its process is noticed
// within the heartbeat timeout instead of the activity's. It does nothing in a local activity.
func heartbeat(ctx context.Context) (stop func()) {
	if activity.GetInfo(ctx).IsLocalActivity {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(heartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
