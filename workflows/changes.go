package workflows

import "go.temporal.io/sdk/workflow"

// The changes of workflows that runs begun under older code must not see: replaying such a run, Temporal
// compares what the code asks for with what its history holds. Each is a name, which stays here until no run
// from before it can be left, the retention of the Temporal namespace included.
const (
	// changeCancelUnstarted: a cancelled delivery gives up an attempt that still waits for a worker.
	changeCancelUnstarted = "cancel-unstarted-attempt"
	// changeResendUnderLimit: a resend of a delivery that waits under a rate limit asks anew for its moment.
	changeResendUnderLimit = "resend-under-rate-limit"
	// changeResendAfterCancel: a resend that reaches a cancelled run is made by the next one.
	changeResendAfterCancel = "resend-after-cancel"
	// changeSteerInOrder: of requests to pause and to resume a recovery that come together, the last one holds.
	changeSteerInOrder = "steer-recovery-in-order"
	// changeResendDuringFirst: a resend that reaches a run during its first attempt is made behind it.
	changeResendDuringFirst = "resend-during-first-attempt"
	// changePurgeEverything: the retention deletes more than inbound events.
	changePurgeEverything = "purge-everything"
)

// changed says whether a run follows a change. The first time that a run gets to ask, the answer is yes and is
// written into its history; while a history without the answer is replayed, it is no.
func changed(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) > workflow.DefaultVersion
}
