package attempt

import (
	"context"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// recordAgain lies between two tries to record an attempt that was made without a workflow.
const recordAgain = time.Second

// record writes an outcome, even when the attempt's own time is up or its worker is stopping. Without a workflow, which
// could do it later, it tries until it succeeds or the context ends: the receiver must not be called again because our
// database was away.
func (m *Maker) record(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	for {
		recorded, err := m.recordOnce(ctx, outcome)
		if err == nil {
			return recorded, nil
		}
		m.Logger.WarnContext(ctx, "attempt not recorded yet", "delivery_id", outcome.Attempt.DeliveryID, "error", err)
		if !outcome.WithoutWorkflow() || timing.Wait(ctx, recordAgain) != nil {
			return models.Recorded{}, err
		}
	}
}

func (m *Maker) recordOnce(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timing.Record)
	defer cancel()
	return m.write(ctx, outcome)
}

// Record writes an attempt that Make could not write. Its response body and all headers are lost: they must not travel
// through the workflow's history.
func (m *Maker) Record(ctx context.Context, deliveryID string, result Result, run Run) (models.Recorded, error) {
	return m.write(ctx, outcomeOf(result, deliveryID, run.ID))
}

// write writes an outcome, and starts the deliveries of operational events that came of it. What cannot be started is
// left to the sweep.
func (m *Maker) write(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	recorded, err := m.Store.RecordAttempt(ctx, outcome)
	if err != nil {
		return models.Recorded{}, err
	}
	if outcome.Queued && outcome.Status.Finished() {
		m.MoveUp(outcome.Attempt.DeliveryID)
	}
	if len(recorded.News) > 0 {
		if err := m.startNews(ctx, recorded.News); err != nil {
			m.Logger.WarnContext(ctx, "operational events are stored and the sweep will start them", "error", err)
		}
	}
	return recorded, nil
}

// startNews starts the deliveries of operational events, those to ordered webhooks only in their turn.
func (m *Maker) startNews(ctx context.Context, news []models.Delivery) (err error) {
	if slices.ContainsFunc(news, models.Delivery.Queued) {
		if news, err = m.Store.InTurn(ctx, news); err != nil {
			return err
		}
	}
	return m.Starter.StartDeliveries(ctx, news)
}

func outcomeOf(result Result, deliveryID, runID string) models.Outcome {
	return models.Outcome{
		Attempt: models.Attempt{
			ID: result.AttemptID, DeliveryID: deliveryID, Number: result.Number, Trigger: result.Trigger,
			StatusCode: result.StatusCode, ErrorClass: result.ErrorClass, Error: result.Error,
			DurationMS: result.DurationMS, RemoteAddr: result.RemoteAddr, StartedAt: result.StartedAt,
		},
		Status: result.Status, NextAttemptAt: result.NextAttemptAt, RunID: runID,
		DisableWebhook: result.DisableWebhook, ThrottledUntil: result.ThrottledUntil,
		Queued: result.Queued,
		Health: models.WebhookHealth{Receiver: result.Receiver},
	}
}
