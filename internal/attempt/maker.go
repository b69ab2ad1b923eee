// Package attempt makes one attempt of a delivery, whoever asks for it: the delivery's workflow, or the process that
// published the event and makes the first attempt without a workflow. Maker.Make decides whether the attempt may go
// now, builds, signs and sends the request, judges the answer and records it.
//
// A receiver's refusal is a result, never an error. An error means that Postrider itself could not do its part, for
// example because its database is away; no attempt of the delivery is used up then.
package attempt

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// Store is what attempts need of the database.
type Store interface {
	Job(ctx context.Context, deliveryID, attemptID string) (models.Job, error)
	AdoptFirstAttempt(ctx context.Context, deliveryID, runID string) (models.Attempt, error)
	SigningSecrets(webhook models.Webhook, at time.Time) ([]string, error)
	OpenHeaders(webhook models.Webhook) (models.Headers, error)
	OpenCredentials(webhook models.Webhook) (models.Credentials, error)
	RecordAttempt(ctx context.Context, outcome models.Outcome) (models.Recorded, error)
	ReserveRequest(ctx context.Context, webhookID string, perSecond float64, held *models.Reservation) (models.Reservation, error)
	Postpone(ctx context.Context, deliveryID string, due, leasedUntil time.Time) error
	CancelDelivery(ctx context.Context, id string, cause models.CancelCause, reason string) error
	QueueStore
}

// Sender makes one HTTP request and reads its response.
type Sender interface {
	Do(request *http.Request, how egress.Options) (egress.Result, error)
}

// Starter starts the workflows of deliveries; one that runs or ran already is left alone.
type Starter interface {
	StartDeliveries(ctx context.Context, deliveries []models.Delivery) error
	// MoveUp has the first delivery in a queue go on, in the background; the function looks it up.
	MoveUp(first func(ctx context.Context) (models.Delivery, error))
}

// Maker makes attempts. All attempts of a process share one, because it counts the requests to each webhook.
type Maker struct {
	Store  Store
	Sender Sender
	// Rules make what is sent to webhooks with a transformation.
	Rules *rules.Engine
	// Starter starts the deliveries of the operational events that an attempt brings about.
	Starter Starter
	// Lanes keep webhooks out of each other's way.
	Lanes *Lanes
	// Schedule is the installation's retry schedule.
	Schedule models.RetrySchedule
	// RetryJitter is by what part of itself a wait of a schedule may be longer: 0.1 for up to a tenth.
	RetryJitter float64
	// Timeout bounds an attempt to a webhook without a time limit of its own; egress.AttemptTimeout when zero.
	Timeout time.Duration
	// Source is what CloudEvents name as their source: this installation.
	Source string
	// UserAgent is sent with every request.
	UserAgent string
	// Attempted, unless nil, is called after every attempt, for metrics.
	Attempted func(ctx context.Context, result Result)
	// Now is the clock.
	Now    func() time.Time
	Logger *slog.Logger

	published publishedJobs
	tokens    tokens
}

// Run is the Temporal run that asks for an attempt. The zero value stands for the process that published the event and
// makes the first attempt without a workflow.
type Run struct {
	ID string
	// Local says that the attempt is made inside a workflow task, which must not be kept waiting.
	Local bool
}

// Load finds out what an attempt of a workflow needs to know. A first attempt that was made without a workflow counts
// as recorded by this run. The error wraps models.ErrNotFound when there is no such delivery.
func (m *Maker) Load(ctx context.Context, in Input, run Run) (models.Job, error) {
	if job, ok := m.published.take(in, m.Now()); ok {
		return job, nil
	}
	job, err := m.Store.Job(ctx, in.DeliveryID, attemptID(in, run))
	if err == nil && job.Recorded.ID == "" && madeWithoutWorkflow(job, in) {
		job.Recorded, err = m.Store.AdoptFirstAttempt(ctx, in.DeliveryID, run.ID)
	}
	return job, err
}

// madeWithoutWorkflow says that the first attempt was made without a workflow, and no run has taken it over.
func madeWithoutWorkflow(job models.Job, in Input) bool {
	return in.Sequence == 1 && in.Trigger == models.TriggerSchedule &&
		job.Delivery.AttemptCount > 0 && job.Delivery.RunID == ""
}

// attemptID names an attempt, so that one that is asked for again is found in the log.
func attemptID(in Input, run Run) string {
	if run.ID == "" {
		return models.FirstAttemptID(in.DeliveryID)
	}
	return models.AttemptID(run.ID, in.Sequence, in.ScheduledAt)
}

// Make makes one attempt and records it. It sends nothing when the log has the attempt already, when the webhook gets
// no requests any more, or when the attempt has to be made later or elsewhere; the result says which.
func (m *Maker) Make(ctx context.Context, job models.Job, in Input, run Run) (Result, error) {
	if job.Recorded.ID != "" {
		return m.recorded(job, in), nil
	}
	if leftQueue(job, in) {
		return Result{Decision: Decision{Status: job.Delivery.Status, CancelReason: job.Delivery.CancelReason}}, nil
	}
	if wait := untilDue(job, in, run, m.Now()); !soon(wait) {
		return notYet(wait), nil
	} else if err := timing.Wait(ctx, wait); err != nil {
		return Result{}, err
	}
	if cause, reason := reasonToStop(job, in, run); reason != "" {
		return m.stop(ctx, job, in, run, cause, reason)
	}
	job, err := m.join(ctx, job)
	if err != nil {
		return Result{}, err
	}
	admission, err := m.admit(ctx, job, in, run)
	if err != nil {
		return Result{}, err
	}
	if admission.detour != nil {
		return m.takeDetour(ctx, job, admission)
	}
	defer admission.slot.release()
	// A request that is on its way is finished, even if the delivery is cancelled meanwhile.
	attempt, header, err := m.send(context.WithoutCancel(ctx), job, in, run)
	if err != nil {
		return Result{}, err
	}
	result := m.judge(job, in, attempt, header)
	outcome := outcomeOf(result, in.DeliveryID, run.ID)
	outcome.Attempt, outcome.Health = attempt.Of(job.Delivery), job.Health
	recorded, err := m.record(ctx, outcome)
	result.Unrecorded = err != nil
	result.learn(recorded)
	m.report(ctx, job, result)
	return result, nil
}

// reasonToStop says why the webhook must get no request, in a word and for people; both are empty when it may. Without
// a workflow the webhook was read together with the event.
func reasonToStop(job models.Job, in Input, run Run) (models.CancelCause, string) {
	webhook := job.Webhook
	if job.Event.ErasedAt != nil {
		return models.CauseErased, models.ErrErased.Error()
	}
	switch {
	case run.ID == "":
		return "", ""
	case job.Delivery.Status == models.StatusCancelled && in.Trigger != models.TriggerResend:
		return job.Delivery.CancelCause, job.Delivery.CancelReason
	case webhook.DeletedAt != nil:
		return models.CauseDeleted, "the webhook was deleted"
	case webhook.Suspended:
		return models.CauseInactive, models.ErrOwnerSuspended.Error()
	case webhook.Active || job.Delivery.Test:
		return "", ""
	case webhook.DisabledReason != "":
		return models.CauseInactive, "the webhook is disabled: " + webhook.DisabledReason
	default:
		return models.CauseInactive, "the webhook is paused"
	}
}

// stop records that the delivery ends without a request. One that stands in a queue waits until its webhook is active
// again: nothing may overtake it.
func (m *Maker) stop(ctx context.Context, job models.Job, in Input, run Run, cause models.CancelCause, reason string) (Result, error) {
	if cause == models.CauseInactive && !job.StandsAlone() {
		if _, err := m.Store.AwaitTurn(ctx, job.Delivery.ID, run.ID); err != nil {
			return Result{}, err
		}
		return m.takeDetour(ctx, job, admission{detour: &Detour{Slow: in.Slow, Inactive: true, WaitMS: m.lookAgain(in)}})
	}
	err := m.Store.CancelDelivery(ctx, job.Delivery.ID, cause, reason)
	if err != nil && !errors.Is(err, models.ErrFinished) {
		return Result{}, err
	}
	if job.Delivery.Queued() {
		m.MoveUp(job.Delivery.ID)
	}
	return Result{Decision: Decision{Status: models.StatusCancelled, CancelReason: reason}}, nil
}
