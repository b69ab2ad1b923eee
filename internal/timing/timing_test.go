package timing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postrider/postrider/internal/contract"
	"github.com/postrider/postrider/internal/egress"
	"github.com/postrider/postrider/internal/timing"
	"github.com/postrider/postrider/models"
)

// inOrder says what must be shorter than what, and why.
var inOrder = []struct {
	why             string
	shorter, longer time.Duration
}{
	{
		"a first attempt that another worker repeats must ask the log, not the cache of what was published",
		timing.PublishedJob, timing.WorkflowTask,
	},
	{
		"an attempt inside a workflow task waits for no moment but one that is next to now",
		timing.ReservationLate, timing.WorkflowTask,
	},
	{
		"an attempt has time to wait for its moment, make the request and write the log",
		timing.ReservationLead + egress.MaxAttemptTimeout + timing.Record, timing.AttemptActivity,
	},
	{
		"two heartbeats may be lost before an activity counts as dead",
		3 * timing.Heartbeat, timing.HeartbeatTimeout,
	},
	{
		"the death of a process is found before the activity's own time limit",
		timing.HeartbeatTimeout, timing.AttemptActivity,
	},
	{
		"an extension of a lease that fails is tried once more before the lease ends",
		timing.RoomWait + 2*timing.LeaseExtension, timing.Lease,
	},
	{
		"an attempt that gives up its wait for a slot still has its lease",
		timing.RoomWait + timing.SlotPatience, timing.Lease,
	},
	{
		"a publisher has stopped waiting for memory before the sweep takes its deliveries",
		timing.RoomWait, contract.SweepAge,
	},
	{
		"a resend looks for the first attempt several times within its lease",
		2 * timing.LookAgain, timing.Lease,
	},
	{
		"a receiver that hangs is found before its requests count as slow",
		timing.Hanging, models.SlowAttempt,
	},
	{
		"a request that counts as slow can still succeed",
		models.SlowAttempt, egress.AttemptTimeout,
	},
	{
		"looking up and connecting leave time for the answer",
		egress.ConnectTimeout, egress.AttemptTimeout,
	},
	{
		"the time limit of most attempts is not the longest that a webhook may ask for",
		egress.AttemptTimeout, egress.MaxAttemptTimeout,
	},
	{
		"a stopping process finishes its attempts",
		egress.MaxAttemptTimeout, timing.WorkerStop,
	},
	{
		"a stopping process is not kept by an attempt that cannot end",
		timing.WorkerStop, timing.AttemptActivity,
	},
	{
		"the caller of a test learns how its attempt went",
		egress.MaxAttemptTimeout + timing.Record, timing.TestWait,
	},
	{
		"a sweep that starts inbound events is over before the next one",
		timing.InboundPage, contract.SweepInterval,
	},
	{
		"a postponed delivery is left alone by many sweeps",
		6 * contract.SweepInterval, timing.Postpone,
	},
	{
		"an attempt that read the webhook before its rate limit was changed has reserved its moment",
		timing.PublishedJob + timing.WorkflowTask, timing.StaleRateLimit,
	},
	{
		"a batch that takes as long as all others together does not make a deletion look dead",
		timing.Purge, timing.PurgeHeartbeat,
	},
	{
		"a deletion may begin one more batch at the end of its time",
		timing.Purge + timing.PurgeHeartbeat, timing.PurgeActivity,
	},
	{
		"what was under way when an owner was deleted has ended before its rows go",
		egress.MaxAttemptTimeout + timing.Record, timing.Settling,
	},
}

// A webhook may ask for what its requests get.
func TestTheLongestTimeLimitIsOne(t *testing.T) {
	t.Parallel()
	require.Equal(t, models.MaxTimeout, egress.MaxAttemptTimeout)
}

func TestTimesAreInOrder(t *testing.T) {
	t.Parallel()
	for _, line := range inOrder {
		require.Less(t, line.shorter, line.longer, line.why)
	}
}
