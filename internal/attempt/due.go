package attempt

import (
	"time"

	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// untilDue is how long a first attempt waits because its event is to be delivered later. Temporal starts its workflow when
// the time comes; before that, a cancellation, or a start by who knows nothing of the time, brings it here.
func untilDue(job models.Job, in Input, run Run, now time.Time) time.Duration {
	due := job.Event.Due()
	if due == nil || run.ID == "" || in.Trigger != models.TriggerSchedule || job.Delivery.Status != models.StatusPending {
		return 0
	}
	return max(0, due.Sub(now))
}

// notYet is the detour of an attempt that is not due.
func notYet(wait time.Duration) Result {
	// A millisecond is the unit of waits, and none may end early.
	detour := &Detour{Scheduled: true, WaitMS: (wait + time.Millisecond - 1).Milliseconds()}
	return Result{Decision: Decision{Status: models.StatusPending}, Detour: detour}
}

// soon says that an attempt is due so soon that it waits in the process: Temporal's clock may be ahead of ours.
func soon(wait time.Duration) bool { return wait <= timing.DueSoon }
