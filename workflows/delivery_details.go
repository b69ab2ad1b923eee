package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
)

// What the Temporal Web UI shows as the current details of a delivery, in Markdown. It is asked for by a query, and costs
// nothing until then.

// tellWait says until when a delivery waits, and why.
func (d *delivery) tellWait(ctx workflow.Context, next time.Time) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Attempt %d failed: %s\n\nRetry %d of %d is due at %s. The signal `resend` makes it at once.",
		d.last.Number, d.last.Error, d.last.Retry, d.last.Retries, next.UTC().Format(time.DateTime+" MST")))
}

// tellDetour says what an attempt waits for.
func (d *delivery) tellDetour(ctx workflow.Context, detour activities.Detour) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Attempt %d waits: %s.", d.last.Number+1, withDetourOptions(detour).Summary))
}

// tellAttempt says that an attempt is under way.
func (d *delivery) tellAttempt(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Attempt %d is under way.", d.last.Number+1))
}
