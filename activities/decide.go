package activities

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/postrider/postrider/models"
)

// decide says what an attempt makes of its delivery.
func (a *Activities) decide(dispatch models.Job, in AttemptInput, attempt models.Attempt, header http.Header) AttemptResult {
	schedule := a.scheduleOf(dispatch)
	result := resultOf(attempt)
	result.Retries = len(schedule)
	result.Receiver = dispatch.Health.Receiver
	gone := attempt.StatusCode != nil && *attempt.StatusCode == http.StatusGone && attempt.ErrorClass == models.ErrorHTTPStatus
	asked := retryAfter(attempt, header, a.Now())
	result.ThrottledUntil = a.throttledUntil(dispatch.Health, attempt, asked)
	switch {
	case attempt.ErrorClass == "":
		result.Status = models.StatusDelivered
	case gone:
		result.Status = models.StatusPermanentlyFailed
		result.DisableWebhook = attempt.Error
		result.Notify = !dispatch.Delivery.Test
	case in.ResumeAt == nil && in.Failures >= len(schedule):
		result.Status = models.StatusPermanentlyFailed
		result.Notify = !dispatch.Delivery.Test
	default:
		result.Status = models.StatusFailed
		result.Sick = dispatch.Health.ConsecutiveFailures > 0 || time.Duration(attempt.DurationMS)*time.Millisecond >= models.SlowAttempt
		a.plan(&result, in, schedule, asked)
	}
	return result
}

// plan sets when the next attempt is due: after the schedule's wait, spread by the installation's jitter, or,
// behind an extra attempt, when the wait that it interrupted ends. The receiver may ask for more time, not for
// less.
func (a *Activities) plan(result *AttemptResult, in AttemptInput, schedule models.RetrySchedule, atLeast time.Duration) {
	now := a.nowInMS()
	wait := atLeast
	if in.ResumeAt != nil {
		result.Retry = in.Failures
		wait = max(wait, in.ResumeAt.Sub(now))
	} else {
		result.Retry = in.Failures + 1
		wait = max(wait, schedule[in.Failures]) + a.jitter(schedule[in.Failures])
	}
	next := now.Add(wait)
	result.NextAttemptAt, result.WaitMS = &next, wait.Milliseconds()
}

// jitter is by how much a wait of the schedule is longer than it says, so that what failed together does not
// come again together.
func (a *Activities) jitter(wait time.Duration) time.Duration {
	return time.Duration(a.RetryJitter * rand.Float64() * float64(wait)).Truncate(time.Millisecond) //nolint:gosec // guards nothing
}

// nowInMS is the clock in the unit that waits are told in.
func (a *Activities) nowInMS() time.Time { return a.Now().UTC().Truncate(time.Millisecond) }

func (a *Activities) scheduleOf(dispatch models.Job) models.RetrySchedule {
	switch {
	case dispatch.Delivery.Test:
		return models.RetrySchedule{}
	case dispatch.Webhook.RetrySchedule != nil:
		return dispatch.Webhook.RetrySchedule
	default:
		return a.Schedule
	}
}

// recorded returns the outcome of an attempt that the log has already: the process that made it died before
// it could say so.
func (a *Activities) recorded(dispatch models.Job, in AttemptInput) AttemptResult {
	result := resultOf(dispatch.Recorded)
	result.Status = dispatch.Delivery.Status
	result.CancelReason = dispatch.Delivery.CancelReason
	result.Retries = len(a.scheduleOf(dispatch))
	result.Notify = result.Status == models.StatusPermanentlyFailed && !dispatch.Delivery.Test
	if dispatch.Health.ChangedBy == result.AttemptID {
		result.Change = dispatch.Health.Change
	}
	if next := dispatch.Delivery.NextAttemptAt; next != nil {
		result.NextAttemptAt = next
		result.WaitMS = max(0, next.Sub(a.nowInMS()).Milliseconds())
		result.Retry = in.Failures
		if in.ResumeAt == nil {
			result.Retry++
		}
	}
	return result
}

func resultOf(attempt models.Attempt) AttemptResult {
	return AttemptResult{
		AttemptID: attempt.ID, Number: attempt.Number, Trigger: attempt.Trigger, StatusCode: attempt.StatusCode,
		ErrorClass: attempt.ErrorClass, Error: attempt.Error, DurationMS: attempt.DurationMS,
		RemoteAddr: attempt.RemoteAddr, StartedAt: attempt.StartedAt,
	}
}

// report counts an attempt and writes one line about it; a final failure is a warning, so that it is told
// even where the owner has no channel.
func (a *Activities) report(ctx context.Context, dispatch models.Job, result AttemptResult) {
	if a.Attempted != nil {
		a.Attempted(ctx, result)
	}
	attributes := []any{
		"delivery_id", dispatch.Delivery.ID, "webhook_id", dispatch.Webhook.ID, "event", dispatch.Event.Type,
		"attempt", result.Number, "status", result.Status, "duration_ms", result.DurationMS,
	}
	if result.Error != "" {
		attributes = append(attributes, "error_class", result.ErrorClass, "error", result.Error)
	}
	switch result.Status {
	case models.StatusPermanentlyFailed:
		a.Logger.WarnContext(ctx, "delivery failed permanently", append(attributes, "owner_id", dispatch.Delivery.OwnerID)...)
	case models.StatusFailed:
		a.Logger.InfoContext(ctx, "attempt failed", append(attributes, "next_attempt_at", result.NextAttemptAt)...)
	default:
		a.Logger.DebugContext(ctx, "delivered", attributes...)
	}
}
