package attempt

import (
	"context"

	"github.com/postrider/postrider/models"
)

// QueueStore is what the queues of ordered webhooks need of the database.
type QueueStore interface {
	InTurn(ctx context.Context, deliveries []models.Delivery) ([]models.Delivery, error)
	FirstInQueueOf(ctx context.Context, deliveryID string) (models.Delivery, error)
	AwaitTurn(ctx context.Context, deliveryID, runID string) (behind string, err error)
}

// awaitTurn returns the detour of an attempt that has to wait for other deliveries; nil when its turn has come.
func (m *Maker) awaitTurn(ctx context.Context, job models.Job, in Input, run Run) (*Detour, error) {
	if job.Behind == "" {
		return nil, nil //nolint:nilnil // there is nothing to wait for
	}
	behind, err := m.Store.AwaitTurn(ctx, job.Delivery.ID, run.ID)
	if err != nil || behind == "" {
		return nil, err
	}
	return &Detour{Slow: in.Slow, Behind: behind, WaitMS: m.lookAgain(in)}, nil
}

// MoveUp has the delivery go on that is the first in the queue of a delivery's webhook now. If this process dies before,
// the sweep does it.
func (m *Maker) MoveUp(deliveryID string) {
	m.Starter.MoveUp(func(ctx context.Context) (models.Delivery, error) { return m.Store.FirstInQueueOf(ctx, deliveryID) })
}

// lookAgain is for how many milliseconds a workflow waits for its turn before it looks by itself, should the signal have
// got lost: a long wait costs few looks.
func (m *Maker) lookAgain(in Input) int64 {
	return max(askAgain, m.Now().Sub(in.ScheduledAt)).Milliseconds()
}

// leftQueue says that a run which was started for the delivery's turn comes too late: another one has ended it.
func leftQueue(job models.Job, in Input) bool {
	return in.Turn && in.Sequence == 1 && !job.Delivery.Queued() && job.Delivery.Status.Finished()
}
