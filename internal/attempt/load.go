package attempt

import (
	"context"

	"github.com/postrider/postrider/models"
)

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
