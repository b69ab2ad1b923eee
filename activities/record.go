package activities

import (
	"context"
	"errors"

	"github.com/postrider/postrider/models"
)

// RecordInput asks for an attempt to be written that was made while the log could not be.
type RecordInput struct {
	DeliveryID string        `json:"delivery_id"`
	Result     AttemptResult `json:"result"`
}

// RecordResult is what RecordAttempt found out.
type RecordResult struct {
	// Change is how the attempt changed its webhook's health; empty when it did not.
	Change models.HealthChange `json:"change,omitempty"`
	// Superseded says that the delivery was cancelled while the attempt was under way.
	Superseded bool `json:"superseded,omitempty"`
}

// RecordAttempt writes an attempt that Deliver could not write. Its response body is lost: it must not
// travel through the workflow's history.
func (a *Activities) RecordAttempt(ctx context.Context, in RecordInput) (RecordResult, error) {
	recorded, err := a.Attempts.Record(ctx, in.DeliveryID, in.Result, runOf(ctx))
	if err != nil {
		return RecordResult{}, err
	}
	return RecordResult{Change: recorded.Change, Superseded: recorded.Superseded}, nil
}

// CancelInput asks for a delivery to be marked as cancelled.
type CancelInput struct {
	DeliveryID string `json:"delivery_id"`
	Reason     string `json:"reason"`
}

// RecordCancellation marks a delivery as cancelled; one that has ended stays as it is.
func (a *Activities) RecordCancellation(ctx context.Context, in CancelInput) error {
	err := a.Store.CancelDelivery(ctx, in.DeliveryID, models.CauseRequest, in.Reason)
	if err != nil && !errors.Is(err, models.ErrFinished) {
		return err
	}
	a.Attempts.MoveUp(in.DeliveryID) // which finds nothing, unless the webhook is ordered
	return nil
}
