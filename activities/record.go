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

// RecordAttempt writes an attempt that Deliver could not write. Its response body is lost: it must not
// travel through the workflow's history.
func (a *Activities) RecordAttempt(ctx context.Context, in RecordInput) error {
	runID := activity.GetInfo(ctx).WorkflowExecution.RunID
	return a.Store.RecordAttempt(ctx, outcomeOf(in.Result, in.DeliveryID, runID, nil))
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
func (a *Activities) record(ctx context.Context, outcome models.Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return a.Store.RecordAttempt(ctx, outcome)
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
		DisableWebhook: result.DisableWebhook,
	}
}
