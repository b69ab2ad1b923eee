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
	err = channel.Send(ctx, to, a.notice(failure, in))
	switch {
	case errors.Is(err, notify.ErrMaybeSent):
		return temporal.NewNonRetryableApplicationError(err.Error(), errTypeMaybeSent, nil)
	case errors.Is(err, notify.ErrPermanent):
		return temporal.NewNonRetryableApplicationError(err.Error(), errTypeRefused, nil)
	}
	return err
}

// notice tells of the final failure or, with a change, of the webhook.
func (a *Activities) notice(failure models.FinalFailure, in NotifyInput) notify.Notice {
	webhook := failure.Webhook
	about := notify.About{
		Key:                fmt.Sprintf("%s-%d", failure.Delivery.ID, in.Attempt),
		OwnerName:          failure.Owner.Name,
		WebhookID:          webhook.ID,
		WebhookURL:         webhook.URL,
		WebhookDescription: webhook.Description,
		LastStatusCode:     failure.Last.StatusCode,
		LastErrorClass:     string(failure.Last.ErrorClass),
		LastError:          failure.Last.Error,
		APIURL:             a.Links.API,
	}
	switch in.Change {
	case "":
		return a.exhausted(failure, about)
	case models.ChangeDisabled:
		return notify.Disabled{
			About: about, Failures: failuresOf(failure.Health),
			DisabledAt: webhook.UpdatedAt, DisabledReason: webhook.DisabledReason,
		}
	default:
		failing := notify.Failing{About: about, Failures: failuresOf(failure.Health)}
		if first := failure.Health.FirstFailureAt; a.DisableAfter > 0 && first != nil {
			failing.DisabledAt = first.Add(a.DisableAfter)
		}
		return failing
	}
}

func (a *Activities) exhausted(failure models.FinalFailure, about notify.About) notify.Exhausted {
	delivery := failure.Delivery
	return notify.Exhausted{
		About:           about,
		WebhookDisabled: failure.Webhook.DisabledReason != "",
		DeliveryID:      delivery.ID,
		EventID:         delivery.EventID,
		Event:           delivery.Event,
		Attempts:        delivery.AttemptCount,
		FirstAttemptAt:  failure.First.StartedAt,
		LastAttemptAt:   failure.Last.StartedAt,
		WorkflowURL:     a.Links.Workflow(delivery.ID),
	}
}

func failuresOf(health models.WebhookHealth) notify.Failures {
	failures := notify.Failures{FailedDeliveries: health.FailedDeliveries, LastSuccessAt: health.LastSuccessAt}
	if health.FirstFailureAt != nil {
		failures.FailingSince = *health.FirstFailureAt
	}
	return failures
}
