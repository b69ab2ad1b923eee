package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"

	"github.com/postrider/postrider/models"
)

// RecordInput asks for an attempt to be written that was made while the log could not be.
type RecordInput struct {
	DeliveryID string        `json:"delivery_id"`
	Result     AttemptResult `json:"result"`
}

// RecordResult is what RecordAttempt found out.
type RecordResult struct {
	// Change is the turn that the attempt brought about in its webhook's health; empty for none.
	Change models.HealthChange `json:"change,omitempty"`
	// Superseded says that the delivery was cancelled while the attempt was under way.
	Superseded bool `json:"superseded,omitempty"`
}

// learn adds to a result what recording it found out.
func (r *AttemptResult) learn(recorded models.Recorded) {
	r.Change = recorded.Change
	if recorded.Superseded {
		r.Supersede()
	}
}

// Supersede makes a failure that of a delivery which was cancelled meanwhile.
func (r *AttemptResult) Supersede() {
	r.Status, r.CancelReason, r.Notify, r.NextAttemptAt, r.WaitMS = models.StatusCancelled, "cancelled on request", false, nil, 0
}

// RecordAttempt writes an attempt that Deliver could not write. Its response body is lost: it must not
// travel through the workflow's history.
func (a *Activities) RecordAttempt(ctx context.Context, in RecordInput) (RecordResult, error) {
	runID := activity.GetInfo(ctx).WorkflowExecution.RunID
	recorded, err := a.Store.RecordAttempt(ctx, outcomeOf(in.Result, in.DeliveryID, runID, nil))
	if err != nil {
		return RecordResult{}, err
	}
	a.startNews(ctx, recorded.News)
	return RecordResult{Change: recorded.Change, Superseded: recorded.Superseded}, nil
}

// CancelInput asks for a delivery to be marked as cancelled.
type CancelInput struct {
	DeliveryID string `json:"delivery_id"`
	Reason     string `json:"reason"`
}

// RecordCancellation marks a delivery as cancelled; one that has ended stays as it is.
func (a *Activities) RecordCancellation(ctx context.Context, in CancelInput) error {
	err := a.Store.CancelDelivery(ctx, in.DeliveryID, in.Reason)
	if errors.Is(err, models.ErrFinished) {
		return nil
	}
	return err
}

// record writes an outcome even when the attempt's own time is up or its worker is stopping.
func (a *Activities) record(ctx context.Context, outcome models.Outcome) (models.Recorded, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	recorded, err := a.Store.RecordAttempt(ctx, outcome)
	if err != nil {
		return models.Recorded{}, err
	}
	a.startNews(ctx, recorded.News)
	return recorded, nil
}

// startNews starts the deliveries of operational events; what cannot be started is left to the sweep.
func (a *Activities) startNews(ctx context.Context, news []models.Delivery) {
	if len(news) == 0 {
		return
	}
	if err := a.Starter.StartDeliveries(ctx, news); err != nil {
		a.Logger.WarnContext(ctx, "operational events are stored and the sweep will start them", "error", err)
	}
}

func outcomeOf(result AttemptResult, deliveryID, runID string, responseBody []byte) models.Outcome {
	return models.Outcome{
		Attempt: models.Attempt{
			ID: result.AttemptID, DeliveryID: deliveryID, Number: result.Number, Trigger: result.Trigger,
			StatusCode: result.StatusCode, ErrorClass: result.ErrorClass, Error: result.Error,
			DurationMS: result.DurationMS, ResponseBody: responseBody, RemoteAddr: result.RemoteAddr,
			StartedAt: result.StartedAt,
		},
		Status: result.Status, NextAttemptAt: result.NextAttemptAt, RunID: runID,
		DisableWebhook: result.DisableWebhook, ThrottledUntil: result.ThrottledUntil,
		Health: models.WebhookHealth{Receiver: result.Receiver},
	}
}
