package attempt

import (
	"context"

	"github.com/postrider/postrider/models"
)

// Expect keeps the jobs of deliveries that were just published and whose workflows are about to start: their first
// attempts, where they are made in this process, need not load them again.
func (m *Maker) Expect(jobs []models.Job) { m.published.keep(jobs, m.Now()) }

// Forget drops what is kept of an event whose data was erased. Other processes keep it for two seconds at most.
func (m *Maker) Forget(eventID string) { m.published.forget(eventID) }

// MakeFirst makes the first attempt of a delivery without a workflow, and returns when it is recorded or the context
// ends. It returns false when the delivery needs its workflow from here: to make the next attempt, to notify the owner of
// a final failure, or to make the first attempt, because the webhook is slow, fails, is overloaded or has a rate limit.
func (m *Maker) MakeFirst(ctx context.Context, job models.Job) bool {
	in := Input{DeliveryID: job.Delivery.ID, Trigger: models.TriggerSchedule, Sequence: 1}
	result, err := m.Make(ctx, job, in, Run{})
	if err != nil {
		m.Logger.WarnContext(ctx, "first attempt not made; its workflow makes it", "delivery_id", in.DeliveryID, "error", err)
		return false
	}
	return result.Detour == nil && (result.Status == models.StatusDelivered || result.Status == models.StatusCancelled)
}
