package attempt

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/postrider/postrider/models"
)

// judge decides what an attempt means for its delivery and its webhook.
func (m *Maker) judge(job models.Job, in Input, attempt models.Attempt, header http.Header) Result {
	schedule := m.scheduleOf(job)
	result := resultOf(attempt)
	result.Retries = len(schedule)
	result.Receiver = job.Health.Receiver
	result.Queued = job.Delivery.Queued()
	gone := attempt.StatusCode != nil && *attempt.StatusCode == http.StatusGone && attempt.ErrorClass == models.ErrorHTTPStatus
	asked := retryAfter(attempt, header, m.Now())
	result.ThrottledUntil = m.throttledUntil(job.Health, attempt, asked)
	switch {
	case attempt.ErrorClass == "":
		result.Status = models.StatusDelivered
	case gone:
		result.Status = models.StatusPermanentlyFailed
		result.DisableWebhook = attempt.Error
		result.Notify = !job.Delivery.Test
	case in.ResumeAt == nil && in.Failures >= len(schedule):
		result.Status = models.StatusPermanentlyFailed
		result.Notify = !job.Delivery.Test
	default:
		result.Status = models.StatusFailed
		result.Sick = job.Health.ConsecutiveFailures > 0 || time.Duration(attempt.DurationMS)*time.Millisecond >= models.SlowAttempt
		m.plan(&result, in, schedule, asked)
	}
	return result
}

// plan sets when the next attempt is due: after the schedule's wait and the installation's jitter or, after an extra
// attempt, when the wait that it interrupted ends. A Retry-After can lengthen the wait, not shorten it.
func (m *Maker) plan(result *Result, in Input, schedule models.RetrySchedule, atLeast time.Duration) {
	now := m.nowInMS()
	wait := atLeast
	if in.ResumeAt != nil {
		result.Retry = in.Failures
		wait = max(wait, in.ResumeAt.Sub(now))
	} else {
		result.Retry = in.Failures + 1
		wait = max(wait, schedule[in.Failures]) + m.jitter(schedule[in.Failures])
	}
	next := now.Add(wait)
	result.NextAttemptAt, result.WaitMS = &next, wait.Milliseconds()
}

// jitter is how much is added to a wait of the schedule, so that deliveries that failed together are not retried together.
func (m *Maker) jitter(wait time.Duration) time.Duration {
	return time.Duration(m.RetryJitter * rand.Float64() * float64(wait)).Truncate(time.Millisecond) //nolint:gosec // guards nothing
}

// nowInMS is the clock in milliseconds, the unit of waits.
func (m *Maker) nowInMS() time.Time { return m.Now().UTC().Truncate(time.Millisecond) }

func (m *Maker) scheduleOf(job models.Job) models.RetrySchedule {
	switch {
	case job.Delivery.Test:
		return models.RetrySchedule{}
	case job.Webhook.RetrySchedule != nil:
		return job.Webhook.RetrySchedule
	default:
		return m.Schedule
	}
}

// recorded is the result of an attempt that the log has already, because the process that made it died before it could
// report it to Temporal.
func (m *Maker) recorded(job models.Job, in Input) Result {
	result := resultOf(job.Recorded)
	result.Status = job.Delivery.Status
	result.CancelReason = job.Delivery.CancelReason
	result.Retries = len(m.scheduleOf(job))
	result.Notify = result.Status == models.StatusPermanentlyFailed && !job.Delivery.Test
	if job.Health.ChangedBy == result.AttemptID {
		result.Change = job.Health.Change
	}
	if next := job.Delivery.NextAttemptAt; next != nil {
		result.NextAttemptAt = next
		result.WaitMS = max(0, next.Sub(m.nowInMS()).Milliseconds())
		result.Retry = in.Failures
		if in.ResumeAt == nil {
			result.Retry++
		}
	}
	return result
}

func resultOf(attempt models.Attempt) Result {
	return Result{Attempted: Attempted{
		AttemptID: attempt.ID, Number: attempt.Number, Trigger: attempt.Trigger, StatusCode: attempt.StatusCode,
		ErrorClass: attempt.ErrorClass, Error: attempt.Error, DurationMS: attempt.DurationMS,
		RemoteAddr: attempt.RemoteAddr, StartedAt: attempt.StartedAt,
	}}
}
