package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// Notification tells an owner about one final failure or one change of a webhook's health, through every
// channel that the owner has. The channels do not wait for each other, so that a mail server's trouble delays no chat message.
func Notification(ctx workflow.Context, in contract.NotificationInput) error {
	input := activities.NotifyInput{DeliveryID: in.DeliveryID, Attempt: in.Attempt, Change: models.HealthChange(in.Change)}
	ctx = withNotifyOptions(ctx)
	email := workflow.ExecuteActivity(ctx, do.NotifyByEmail, input)
	slack := workflow.ExecuteActivity(ctx, do.NotifyBySlack, input)
	return errors.Join(email.Get(ctx, nil), slack.Get(ctx, nil))
}
