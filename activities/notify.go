package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/models"
)

// Types of errors after which a message is not sent again.
const (
	errTypeMaybeSent = "MaybeSent"
	errTypeRefused   = "Refused"
)

// NotifyInput asks for an owner to be told about one final failure or, with a change, about a webhook's
// health.
type NotifyInput struct {
	DeliveryID string              `json:"delivery_id"`
	Attempt    int                 `json:"attempt"`
	Change     models.HealthChange `json:"change,omitempty"`
}

// NotifyByEmail sends mail to the owner, if the owner has an address and the installation a mail server.
func (a *Activities) NotifyByEmail(ctx context.Context, in NotifyInput) error {
	return a.notify(ctx, in, a.Email, func(owner models.Owner) string { return owner.Email })
}

// NotifyBySlack posts to the owner's Slack-compatible incoming webhook, if there is one.
func (a *Activities) NotifyBySlack(ctx context.Context, in NotifyInput) error {
	return a.notify(ctx, in, a.Slack, func(owner models.Owner) string { return owner.SlackURL })
}

// notify sends one message. What may have been sent is not sent again: nobody wants to be told twice.
func (a *Activities) notify(ctx context.Context, in NotifyInput, channel Channel, address func(models.Owner) string) error {
	failure, err := a.Store.FinalFailure(ctx, in.DeliveryID)
	if errors.Is(err, models.ErrNotFound) {
		return temporal.NewNonRetryableApplicationError("the delivery, its webhook or its owner is gone", ErrTypeDeliveryNotFound, nil)
	}
	if err != nil {
		return err
	}
	to := address(failure.Owner)
	if to == "" || channel == nil {
		return nil
	}
	notice := a.notice(failure, in)
	if in.Change != "" {
		notice = a.webhookNotice(failure, in)
	}
	err = channel.Send(ctx, to, notice)
	switch {
	case errors.Is(err, notify.ErrMaybeSent):
		return temporal.NewNonRetryableApplicationError(err.Error(), errTypeMaybeSent, nil)
	case errors.Is(err, notify.ErrPermanent):
		return temporal.NewNonRetryableApplicationError(err.Error(), errTypeRefused, nil)
	}
	return err
}

func (a *Activities) notice(failure models.FinalFailure, in NotifyInput) notify.Notice {
	delivery, webhook := failure.Delivery, failure.Webhook
	return notify.Notice{
		Key:                fmt.Sprintf("%s-%d", delivery.ID, in.Attempt),
		OwnerName:          failure.Owner.Name,
		WebhookID:          webhook.ID,
		WebhookURL:         webhook.URL,
		WebhookDescription: webhook.Description,
		WebhookDisabled:    webhook.DisabledReason != "",
		DeliveryID:         delivery.ID,
		EventID:            delivery.EventID,
		Event:              delivery.Event,
		Attempts:           delivery.AttemptCount,
		FirstAttemptAt:     failure.First.StartedAt,
		LastAttemptAt:      failure.Last.StartedAt,
		LastStatusCode:     failure.Last.StatusCode,
		LastErrorClass:     string(failure.Last.ErrorClass),
		LastError:          failure.Last.Error,
		APIURL:             a.Links.API,
		WorkflowURL:        a.Links.Workflow(delivery.ID),
	}
}

// webhookNotice tells that a webhook is failing or was disabled.
func (a *Activities) webhookNotice(failure models.FinalFailure, in NotifyInput) notify.Notice {
	webhook, health := failure.Webhook, failure.Health
	notice := notify.Notice{
		Key:                fmt.Sprintf("%s-%d", failure.Delivery.ID, in.Attempt),
		Kind:               notify.KindFailing,
		OwnerName:          failure.Owner.Name,
		WebhookID:          webhook.ID,
		WebhookURL:         webhook.URL,
		WebhookDescription: webhook.Description,
		FailedDeliveries:   health.FailedDeliveries,
		LastSuccessAt:      health.LastSuccessAt,
		LastStatusCode:     failure.Last.StatusCode,
		LastErrorClass:     string(failure.Last.ErrorClass),
		LastError:          failure.Last.Error,
		APIURL:             a.Links.API,
	}
	if health.FirstFailureAt != nil {
		notice.FailingSince = *health.FirstFailureAt
	}
	switch {
	case in.Change == models.ChangeDisabled:
		notice.Kind, notice.DisabledReason = notify.KindDisabled, webhook.DisabledReason
		notice.DisabledAt = webhook.UpdatedAt
	case a.DisableAfter > 0 && health.FirstFailureAt != nil:
		notice.DisabledAt = health.FirstFailureAt.Add(a.DisableAfter)
	}
	return notice
}
