package workflows

import "go.temporal.io/sdk/workflow"

// Patches are changes of workflows that must not apply to runs begun under older code: when such a run is replayed,
// Temporal compares what the code asks for with what the history holds. Each patch is a name, which stays here until no
// run from before it can be left, the retention of the Temporal namespace included.
const (
	// patchCancelUnstarted: a cancelled delivery gives up an attempt that still waits for a worker.
	patchCancelUnstarted = "cancel-unstarted-attempt"
	// patchResendUnderLimit: a resend of a delivery that waits under a rate limit reserves its moment anew.
	patchResendUnderLimit = "resend-under-rate-limit"
	// patchResendAfterCancel: a resend that reaches a cancelled run is made by the next run.
	patchResendAfterCancel = "resend-after-cancel"
	// patchSteerInOrder: of requests to pause and to resume a recovery that arrive together, the last one counts.
	patchSteerInOrder = "steer-recovery-in-order"
	// patchResendDuringFirst: a resend that reaches a run during its first attempt is made behind it.
	patchResendDuringFirst = "resend-during-first-attempt"
	// patchPurgeEverything: the retention deletes more than inbound events.
	patchPurgeEverything = "purge-everything"
)

// patched says whether a run has a patch. The first time that a run asks, the answer is yes and is written into its
// history; when a history without the answer is replayed, it is no.
func patched(ctx workflow.Context, patch string) bool {
	return workflow.GetVersion(ctx, patch, workflow.DefaultVersion, 1) > workflow.DefaultVersion
}
