package workflows

import (
	"encoding/json"

	"go.temporal.io/sdk/workflow"

	"github.com/postrider/postrider/activities"
	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/models"
)

// receiveResend receives one resend signal, if there is one. Its argument is for people who read the history.
func (d *delivery) receiveResend() bool { return d.resends.ReceiveAsync(nil) }

// receiveEarly receives the resend that the first attempt was made for. It leaves the signal when the attempt turns out
// to be older than the resend, which then gets an attempt of its own: a signal that arrives as a run ends makes Temporal
// repeat the last workflow task with it, and the first attempt is read from the log.
func (d *delivery) receiveEarly(ctx workflow.Context, first activities.AttemptResult) {
	if !d.early {
		return
	}
	d.early = false
	if madeBefore := first.Trigger != "" && first.Trigger != models.TriggerResend; madeBefore && d.patched(ctx, patchResendDuringFirst) {
		return
	}
	d.receiveResend()
}

// cancelledToo says that the delivery was cancelled as well when a resend arrived. The signal is left for the end of the
// run, where resendCounts decides which of the two came last.
func (d *delivery) cancelledToo(ctx workflow.Context) bool {
	return ctx.Err() != nil && d.patched(ctx, patchResendAfterCancel)
}

// resendCounts receives all resends that reached a cancelled run, and says whether one was requested after the
// cancellation and not withdrawn. A workflow does not see in which order signals and cancellations were sent; the
// signals say it.
func (d *delivery) resendCounts() bool {
	counts := false
	for {
		var argument json.RawMessage
		if !d.resends.ReceiveAsync(&argument) {
			return counts
		}
		resend := argumentOf[contract.ResendSignal](argument)
		counts = !resend.Withdrawn && (counts || !resend.BeforeCancel)
	}
}

// dropReleases receives the signals about changes of the webhook that the next attempt sees anyway, or that come too late.
func (d *delivery) dropReleases() {
	for d.releases.ReceiveAsync(nil) {
	}
}

// newReceiver receives the signals about changes of the webhook, and says whether its URL was changed since the last
// attempt.
func (d *delivery) newReceiver() bool {
	isNew := false
	for {
		var release contract.ReleaseSignal
		if !d.releases.ReceiveAsync(&release) {
			return isNew
		}
		isNew = isNew || release.Receiver > d.last.Receiver
	}
}
