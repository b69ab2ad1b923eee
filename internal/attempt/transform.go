package attempt

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/rules"
	"github.com/postrider/postrider/models"
)

// transform replaces the data of the job's event by what the webhook's transformation makes of them, where it has one. It
// returns why that failed: the receiver then gets no request, because it does not expect what it would get. The text tells
// nothing of the data, and may go into Temporal's history.
func (m *Maker) transform(ctx context.Context, job *models.Job) (failure string, err error) {
	if job.Webhook.Transform == "" {
		return "", nil
	}
	data, err := m.Rules.Transform(ctx, job.Event, job.Webhook)
	var fault *rules.Fault
	if errors.As(err, &fault) {
		return fault.Error(), nil
	}
	if err == nil {
		job.Event.Data = data
	}
	return "", err
}
