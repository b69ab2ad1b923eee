package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/postrider/postrider/internal/contract"
)

// TestScheduleOfAnOlderVersion finds a sweep that comes less often than it should, as an older version left
// it, and paused: the next process corrects the one and leaves the other.
func TestScheduleOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	p := prepareProduction(t)
	p.start(t)
	pauseSweep(t, p)
	sweep := p.dial(t).ScheduleClient().GetHandle(t.Context(), contract.SweepScheduleID)
	require.NoError(t, sweep.Update(t.Context(), client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := in.Description.Schedule
			schedule.Spec = &client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	}))

	p.killPostrider()
	p.start(t)
	eventually(t, func() bool {
		found, err := sweep.Describe(t.Context())
		require.NoError(t, err)
		require.True(t, found.Schedule.State.Paused)
		return found.Schedule.Spec.Intervals[0].Every == contract.SweepInterval
	}, "the sweep is not corrected")
}
